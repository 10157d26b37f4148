"""The runs of one plan in MLflow: a parent, and a child a trial. Every call may be repeated.

What has been shipped is read from the runs themselves (the latest `epoch` metric, the tag
`vfsel.shipped`), and every metric carries the time of its report, so that a call which is
repeated after a crash or a lost answer adds nothing and loses nothing.
"""

import logging
import math
import os
import tempfile
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from orchestrator import curves
from orchestrator.storage import Record
from orchestrator.tracking_uri import TrackingUri
from search_spaces.designs import Trial
from trainables.experiment import Experiment

LONGEST_VALUE = 500  # what every MLflow version takes


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


class PlanRuns:
    """Reads and writes the runs of one plan. Raises whatever MLflow raises."""

    def __init__(self, uri: TrackingUri, plan: PlanInfo) -> None:
        import mlflow  # 2 s, and none of the other commands need it

        self._entities = mlflow.entities
        self._client = mlflow.MlflowClient(tracking_uri=uri.text)
        self._uri, self._plan = uri, plan
        self._experiment = self._find_experiment()
        self._runs = self._find_runs()
        self.parent = self._runs.pop("") if "" in self._runs else self._create_parent()

    @property
    def children(self) -> dict[str, Run]:
        """The children by trial id."""
        return self._runs

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
        self._ship(run, trial, reports, self._final(record), _tags(record))
        self.end(run, "FINISHED", at=_last(reports))
        self._client.log_dict(run.id, record["experiment"], "config.json")
        self._client.log_text(run.id, curves.as_csv(reports), "curves.csv")
        self._client.log_figure(run.id, curves.figure(reports, title=trial.name), "curves.png")
        self._client.set_tag(run.id, "vfsel.shipped", "yes")
        run.shipped = True

    def ship_pictures(self, run: Run, pictures: Mapping[str, bytes]) -> None:
        """Ship a trial's pictures, once."""
        if not run.pictured:
            log_pictures(self._client, run.id, pictures)
            run.pictured = True

    def end(self, run: Run, status: str, *, reason: str = "", at: int | None = None) -> None:
        """Give a run its final state, once."""
        self._give_reason(run, reason[:LONGEST_VALUE])
        if run.status != status:
            self._client.set_terminated(run.id, status=status, end_time=at)
            run.status = status

    def summarise(self, values: dict[str, float], best: str) -> None:
        """The parent's metrics, where they changed."""
        changed = {
            key: value for key, value in values.items() if self.parent.metrics.get(key) != value
        }
        if not changed:
            return
        now = _now()
        metrics = [self._entities.Metric(key, value, now, 0) for key, value in changed.items()]
        tags = [self._entities.RunTag("vfsel.best", best)] if best else []
        self._client.log_batch(self.parent.id, metrics=metrics, tags=tags)
        self.parent.metrics |= changed

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
        final: Sequence[Any] = (),
        tags: Sequence[Any] = (),
    ) -> None:
        """One `log_batch`; MLflow's client cuts it, in order, where it is too large."""
        new = [report for report in reports if report["epoch"] > run.epoch]
        metrics = [metric for report in new for metric in self._metrics(report)] + list(final)
        parameters = [] if run.described else self._parameters(trial)
        if not metrics and not parameters:
            return
        self._client.log_batch(
            run.id,
            metrics=metrics,
            params=parameters,
            tags=[self._entities.RunTag(*tag) for tag in tags],
        )
        run.described = True
        run.epoch = max([run.epoch, *(report["epoch"] for report in new)])

    def _metrics(self, report: curves.Report) -> list[Any]:
        """`epoch` comes last: where it has arrived, all of its epoch has."""
        at, step = _milliseconds(report["time"]), report["epoch"]
        values = curves.flat(report)
        values["epoch"] = values.pop("epoch")
        return [self._entities.Metric(k, float(v), at, step) for k, v in values.items()]

    def _final(self, record: Record) -> list[Any]:
        """`best_*`: the selection's metrics at the chosen epoch; `test_*`: the test split's."""
        epoch, reports = record["selection"]["epoch"], record["reports"]
        chosen: dict[str, float] = next((r["metrics"] for r in reports if r["epoch"] == epoch), {})
        values = {"best_epoch": epoch}
        values |= {f"best_{key}": value for key, value in chosen.items()}
        values |= {f"test_{key}": value for key, value in record["test"].items()}
        values |= {f"dropped_{split}": count for split, count in record["dropped"].items()}
        at = _last(reports) or 0
        # all at step 0: MLflow then compares the runs in one bar chart a metric
        return [self._entities.Metric(k, float(v), at, 0) for k, v in values.items()]

    def _parameters(self, trial: Trial) -> list[Any]:
        fields = trial.experiment.flat().items()
        return [self._entities.Param(key, str(value)[:LONGEST_VALUE]) for key, value in fields]

    def _ensure(self, trial: Trial, reports: Sequence[curves.Report]) -> Run:
        if trial.id not in self._runs:
            tags = {"mlflow.parentRunId": self.parent.id, "vfsel.trial_id": trial.id}
            start = reports[0]["time"] - reports[0]["seconds"] if reports else time.time()
            self._runs[trial.id] = self._create(trial.name, tags, start=_milliseconds(start))
        return self._runs[trial.id]

    def _create_parent(self) -> Run:
        plan = self._plan
        tags = {"mlflow.note.content": plan.question, "vfsel.dataset": plan.dataset}
        return self._create(f"{plan.sweep} on {plan.dataset}", tags, start=_now())

    def _create(self, name: str, tags: dict[str, str], *, start: int) -> Run:
        plan = self._plan
        tags = tags | {
            "vfsel.plan_id": plan.plan_id,
            "vfsel.sweep": plan.sweep,
            "vfsel.data": plan.data_hash,
            "mlflow.source.name": f"sweep {plan.sweep}",
        }
        run = self._client.create_run(self._experiment, start_time=start, tags=tags, run_name=name)
        return Run(run.info.run_id)

    def _find_experiment(self) -> str:
        """The sweep's experiment; one that was deleted in MLflow is brought back."""
        name = f"vfsel/{self._plan.sweep}"
        found = self._client.get_experiment_by_name(name)
        if found is None:
            tags = {"mlflow.note.content": self._plan.question}
            return str(self._client.create_experiment(name, self._uri.artifacts, tags))
        if found.lifecycle_stage != "active":
            self._client.restore_experiment(found.experiment_id)
        return str(found.experiment_id)

    def _find_runs(self) -> dict[str, Run]:
        """This plan's runs by trial id; the parent's is empty."""
        found: dict[str, Run] = {}
        for run in sorted(self._search(), key=lambda run: (run.info.start_time, run.info.run_id)):
            trial_id = run.data.tags.get("vfsel.trial_id", "")
            if trial_id in found:  # its creation was answered too late, and repeated
                self._client.delete_run(run.info.run_id)
            else:
                found[trial_id] = _known(run)
        return found

    def _search(self) -> Iterable[Any]:
        token = None
        while True:
            page = self._client.search_runs(
                [self._experiment],
                f"tags.`vfsel.plan_id` = '{self._plan.plan_id}'",
                max_results=1000,
                page_token=token,
            )
            yield from page
            token = page.token
            if not token:
                return


def log_pictures(client: Any, run_id: str, pictures: Mapping[str, bytes]) -> None:
    """Keep pictures, by file name, among a run's artifacts, and mark that they are there."""
    with tempfile.TemporaryDirectory() as folder:
        for name, content in pictures.items():
            (Path(folder) / name).write_bytes(content)
        client.log_artifacts(run_id, folder, "pictures")
    client.set_tag(run_id, "vfsel.pictures", "yes")


def quieten() -> None:
    """Settings of MLflow for a background guest: silent, quick to give up, no telemetry.

    No retries inside a request: the caller asks again, and looks first what has arrived.
    """
    defaults = {
        "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0",
        "MLFLOW_HTTP_REQUEST_TIMEOUT": "10",
        "MLFLOW_LOGGING_LEVEL": "ERROR",
        "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
        "MLFLOW_DISABLE_TELEMETRY": "true",
    }
    for name, value in defaults.items():
        os.environ.setdefault(name, value)
    for name in ("alembic", "mlflow", "urllib3.connectionpool", "matplotlib.font_manager"):
        logging.getLogger(name).setLevel(logging.ERROR)


def _known(run: Any) -> Run:
    return Run(
        run.info.run_id,
        status=run.info.status,
        epoch=int(run.data.metrics.get("epoch", 0)),
        described=bool(run.data.params),
        shipped="vfsel.shipped" in run.data.tags,
        pictured="vfsel.pictures" in run.data.tags,
        reason=run.data.tags.get("reason", ""),
        metrics=dict(run.data.metrics),
    )


def _tags(record: Record) -> list[tuple[str, str]]:
    where = record["environment"]
    tags = [(f"vfsel.{key}", str(where[key])) for key in ("code", "host", "device") if key in where]
    oracle = record["selection"]["split"] == "test"  # the author's practice, labelled everywhere
    return [*tags, ("vfsel.chosen_on", "oracle (test)" if oracle else record["selection"]["split"])]


def _last(reports: Sequence[curves.Report]) -> int | None:
    return _milliseconds(reports[-1]["time"]) if reports else None


def _milliseconds(seconds: float) -> int:
    return math.floor(seconds * 1000)


def _now() -> int:
    return _milliseconds(time.time())
