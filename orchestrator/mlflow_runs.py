"""The runs of one plan in MLflow: a parent, and a child a trial. Every call may be repeated.

What has been shipped is read from the runs themselves (the latest `epoch` metric, the tag
`vfsel.shipped`), and every metric carries the time of its report, so that a call which is
repeated after a crash or a lost answer adds nothing and loses nothing.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from orchestrator import curves, mlflow_notes, mlflow_values, registered
from orchestrator.mlflow_client import check_unlocked, log_pictures
from orchestrator.mlflow_values import LONGEST_VALUE
from orchestrator.sent import Sent
from orchestrator.storage import Record
from orchestrator.tracking_uri import TrackingUri
from search_spaces.designs import Trial
from trainables.experiment import Experiment

NOTE = "mlflow.note.content"
"""The tag that MLflow shows as a run's description, in Markdown."""


@dataclass(frozen=True)
class PlanInfo:
    """What the parent run says of its plan."""

    sweep: str
    question: str
    plan_id: str
    base: Experiment
    dataset: str
    data_hash: str
    metric: str = "r1_sum"


@dataclass
class Run:
    """What MLflow is known to hold of a run."""

    id: str
    parent: str = ""
    status: str = "RUNNING"
    epoch: int = 0
    """The last epoch shipped."""
    described: bool = False
    """Its parameters are there."""
    shipped: bool = False
    """All of its record is there."""
    pictured: bool = False
    """Its pictures are there."""
    reason: str = ""
    metrics: dict[str, float] = field(default_factory=dict)
    """The parent's; a child's are not kept."""
    note: str = ""
    """The parent's description, in Markdown."""


class PlanRuns:
    """Reads and writes the runs of one plan. Raises whatever MLflow raises."""

    def __init__(self, uri: TrackingUri, plan: PlanInfo) -> None:
        import mlflow  # 2 s, and none of the other commands need it

        check_unlocked(uri.database)
        self._entities = mlflow.entities
        self._client = mlflow.MlflowClient(tracking_uri=uri.text)
        self._uri, self._plan = uri, plan
        self.sent = Sent()
        self._experiment = self._find_experiment()
        self._runs = self._find_runs()
        self.parent = self._runs.pop("") if "" in self._runs else self._create_parent()
        self._adopt()

    @property
    def children(self) -> dict[str, Run]:
        """The children by trial id."""
        return self._runs

    def check(self) -> None:
        """Ask for something small: raises if it is MLflow that fails, not a call."""
        self._client.get_experiment(self._experiment)

    def begin(self, trial: Trial, reports: Sequence[curves.Report]) -> Run:
        """The trial's run, RUNNING: a new one, or the one that an earlier command left."""
        run = self._ensure(trial, reports)
        self._give_reason(run, "")
        if run.status != "RUNNING":
            self._client.update_run(run.id, status="RUNNING")
            run.status = "RUNNING"
        return run

    def ship_reports(self, trial: Trial, reports: Sequence[curves.Report]) -> None:
        """Ship the epochs that are not there yet, and the parameters with the first."""
        self._ship(self._ensure(trial, reports), trial, reports)

    def ship_record(self, trial: Trial, record: Record) -> None:
        """Ship everything of a finished trial, then mark it shipped."""
        run, reports = self._ensure(trial, record["reports"]), record["reports"]
        final, tags = mlflow_values.final_metrics(record), mlflow_values.tags(record)
        page = f"#/experiments/{self._experiment}/runs/{self.parent.id}"
        note = mlflow_notes.of_child(trial, record, question=self._plan.question, parent=page)
        self._ship(run, trial, reports, final, [*tags, (NOTE, note)])
        self.end(run, "FINISHED", at=mlflow_values.last(reports))
        self._client.log_dict(run.id, record["experiment"], "config.json")
        self._client.log_text(run.id, curves.as_csv(reports), "curves.csv")
        self._client.log_figure(run.id, curves.figure(reports, title=trial.name), "curves.png")
        self._client.set_tag(run.id, "vfsel.shipped", "yes")
        run.shipped = True
        self.sent.records += 1

    def ship_pictures(self, run: Run, pictures: Mapping[str, bytes]) -> None:
        """Ship a trial's pictures, once."""
        if not run.pictured:
            log_pictures(self._client, run.id, pictures)
            run.pictured = True
            self.sent.pictures += len(pictures)

    def end(self, run: Run, status: str, *, reason: str = "", at: int | None = None) -> None:
        """Give a run its final state, once."""
        self._give_reason(run, reason[:LONGEST_VALUE])
        if run.status != status:
            self._client.set_terminated(run.id, status=status, end_time=at)
            run.status = status
            self.sent.states += 1

    def summarise(self, values: dict[str, float], best: str) -> None:
        """The parent's metrics, where they changed."""
        changed = {
            key: value for key, value in values.items() if self.parent.metrics.get(key) != value
        }
        if not changed:
            return
        now = mlflow_values.now()
        metrics = [self._entities.Metric(key, value, now, 0) for key, value in changed.items()]
        tags = [self._entities.RunTag("vfsel.best", best)] if best else []
        self._client.log_batch(self.parent.id, metrics=metrics, tags=tags)
        self.parent.metrics |= changed

    def describe(self, cells: Sequence[mlflow_notes.Cell], best: str) -> None:
        """The parent's description and its table of cells, where they changed."""
        plan = self._plan
        note = mlflow_notes.of_parent(plan.question, cells, best=best, dataset=plan.dataset)
        note += "\n\nOracle: the test split chose." if plan.base.selection == "test" else ""
        if note == self.parent.note:
            return
        if cells:
            self._client.log_text(self.parent.id, mlflow_notes.as_csv(cells), "cells.csv")
        self._client.set_tag(self.parent.id, NOTE, note)  # last: it says that all is there
        self.parent.note = note

    def register(self, run: Run, winner: registered.Winner) -> None:
        """Register a trial's model, once."""
        self.sent.models += registered.register(self._client, run.id, winner)

    def resume_parent(self) -> None:
        """The parent runs again."""
        if self.parent.status != "RUNNING":
            self._client.update_run(self.parent.id, status="RUNNING")
            self.parent.status = "RUNNING"

    def _give_reason(self, run: Run, reason: str) -> None:
        if reason == run.reason:
            return
        if reason:
            self._client.set_tag(run.id, "reason", reason)
        else:
            self._client.delete_tag(run.id, "reason")
        run.reason = reason

    def _ship(
        self,
        run: Run,
        trial: Trial,
        reports: Sequence[curves.Report],
        final: Sequence[mlflow_values.Metric] = (),
        tags: Sequence[tuple[str, str]] = (),
    ) -> None:
        """One `log_batch`; MLflow's client cuts it, in order, where it is too large."""
        new = [report for report in reports if report["epoch"] > run.epoch]
        metrics = [m for report in new for m in mlflow_values.metrics(report)] + list(final)
        parameters = [] if run.described else mlflow_values.parameters(trial)
        if not metrics and not parameters:
            return
        self._client.log_batch(
            run.id,
            metrics=[self._entities.Metric(*metric) for metric in metrics],
            params=[self._entities.Param(*parameter) for parameter in parameters],
            tags=[self._entities.RunTag(*tag) for tag in tags],
        )
        run.described = True
        run.epoch = max([run.epoch, *(report["epoch"] for report in new)])
        self.sent.epochs += len(new)

    def _ensure(self, trial: Trial, reports: Sequence[curves.Report]) -> Run:
        if trial.id not in self._runs:
            tags = {"mlflow.parentRunId": self.parent.id, "vfsel.trial_id": trial.id}
            tags |= mlflow_values.cell_tags(trial)
            start = reports[0]["time"] - reports[0]["seconds"] if reports else time.time()
            self._runs[trial.id] = self._create(
                trial.name, tags, start=mlflow_values.milliseconds(start)
            )
        return self._runs[trial.id]

    def _create_parent(self) -> Run:
        plan = self._plan
        tags = {NOTE: plan.question, "vfsel.dataset": plan.dataset}
        run = self._create(f"{plan.sweep} on {plan.dataset}", tags, start=mlflow_values.now())
        run.note = plan.question
        return run

    def _create(self, name: str, tags: dict[str, str], *, start: int) -> Run:
        plan = self._plan
        tags = tags | {
            "vfsel.plan_id": plan.plan_id,
            "vfsel.sweep": plan.sweep,
            "vfsel.data": plan.data_hash,
            "mlflow.source.name": f"sweep {plan.sweep}",
        }
        run = self._client.create_run(self._experiment, start_time=start, tags=tags, run_name=name)
        return Run(run.info.run_id, parent=tags.get("mlflow.parentRunId", ""))

    def _find_experiment(self) -> str:
        """The sweep's experiment; one that was deleted in MLflow is brought back."""
        name = f"vfsel/{self._plan.sweep}"
        found = self._client.get_experiment_by_name(name)
        if found is None:
            tags = {NOTE: self._plan.question}
            return str(self._client.create_experiment(name, self._uri.artifacts, tags))
        if found.lifecycle_stage != "active":
            self._client.restore_experiment(found.experiment_id)
        return str(found.experiment_id)

    def _find_runs(self) -> dict[str, Run]:
        """This plan's runs by trial id; the parent's is empty."""
        found: dict[str, Run] = {}
        for _, trial_id, run in sorted(self._search(), key=lambda each: each[0]):
            if trial_id not in found:
                found[trial_id] = run
            elif not run.described and not run.metrics:
                self._client.delete_run(run.id)  # its creation was answered too late, and repeated
        return found

    def _adopt(self) -> None:
        """Children of a parent that was deleted in MLflow."""
        for run in self._runs.values():
            if run.parent != self.parent.id:
                self._client.set_tag(run.id, "mlflow.parentRunId", self.parent.id)
                run.parent = self.parent.id

    def _search(self) -> Iterator[tuple[tuple[bool, int, str], str, Run]]:
        """Each run behind its rank among those of the same trial, and the trial's id.

        A child whose trial's id was edited away is nobody's.
        """
        token = None
        while True:
            page = self._client.search_runs(
                [self._experiment],
                f"tags.`vfsel.plan_id` = '{self._plan.plan_id}'",
                max_results=1000,
                page_token=token,
            )
            for run in page:
                trial_id = run.data.tags.get("vfsel.trial_id", "")
                if trial_id or "mlflow.parentRunId" not in run.data.tags:
                    known = _known(run)
                    yield (not known.described, run.info.start_time, known.id), trial_id, known
            token = page.token
            if not token:
                return


def _known(run: Any) -> Run:
    parent = run.data.tags.get("mlflow.parentRunId", "")
    return Run(
        run.info.run_id,
        parent=parent,
        status=run.info.status,
        epoch=int(run.data.metrics.get("epoch", 0)),
        described=bool(run.data.params),
        shipped="vfsel.shipped" in run.data.tags,
        pictured="vfsel.pictures" in run.data.tags,
        reason=run.data.tags.get("reason", ""),
        metrics={} if parent else dict(run.data.metrics),
        note="" if parent else run.data.tags.get(NOTE, ""),
    )
