"""`sweep` end to end: plan, run what is missing with everyone watching, answer."""

import json
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from data_shards import files
from data_shards.manifest import Data
from orchestrator import published
from orchestrator.answers import DIRECTIONS, Answer, Row, answer, as_dict, plot_curve, sentence
from orchestrator.budget import left_out_line
from orchestrator.failures import Failure
from orchestrator.feature_plan import told
from orchestrator.headline import headline
from orchestrator.healing import heal_plan
from orchestrator.live import LiveTable
from orchestrator.lock import held
from orchestrator.pictures import of_sweep
from orchestrator.planning import Question, missing
from orchestrator.resources import Resources
from orchestrator.runner import Runner
from orchestrator.storage import Storage
from orchestrator.tracking import PlanInfo, Tracker
from orchestrator.tuning import Budget, check_tunable, tune_first
from orchestrator.ui import ui_command
from search_spaces.designs import Refine, Trial


def run_sweeps(
    asked: Sequence[tuple[Question, Data]],
    *,
    as_json: bool,
    tuning: Budget | None = None,
    **how: Any,
) -> int:
    """Run a sweep on each data set in turn, and print its answers; see `run_sweep`.

    Args:
        tuning: with what every arm is tuned first, if it is.

    Returns:
        Exit code: 0, or 1 if any trial of a plan has no record.

    Raises:
        DataError: another command is writing to the storage.
    """
    if tuning:
        for question, _ in asked:
            check_tunable(question, min_epochs=tuning.min_epochs)
    answers = []
    with held(Storage(how["storage_url"]), command=f"sweep {asked[0][0].sweep.name}"):
        for question, data in asked:
            if tuning:
                question = tune_first(question, data, budget=tuning, **how)
            found = run_sweep(question, data, **how)
            answers.append(found)
            if not as_json:
                found.show()
    if as_json:
        values = [found.to_dict() for found in answers]
        click.echo(json.dumps(values[0] if len(values) == 1 else values))
    return max(found.code for found in answers)


def run_sweep(
    question: Question,
    data: Data,
    *,
    storage_url: str,
    tracking_uri: str,
    resources: Resources,
    max_failures: int,
) -> "Conclusion":
    """Run a question's missing trials, and track them.

    Raises:
        UsageError: the storage cannot be written, or the tracking URI is malformed.
        KeyboardInterrupt: after the runs under way are marked KILLED.
    """
    storage = Storage(storage_url)
    storage.check_writable()
    heal_plan(question, storage)
    tracker = Tracker(uri=tracking_uri, storage=storage, plan=_info(question))
    storage.write_plan(question.to_dict())
    if question.sweep.code:
        storage.write_trainable(question.sweep.code)
    console = Console(stderr=True)
    planned = [trial.experiment for trial in missing(question.plan(storage), storage)]
    published.check(planned, weights=resources.weights)
    if planned:
        click.echo(told(planned, data.manifest, cache_limit=resources.cache_limit), err=True)
    with LiveTable(console, storage) as table:
        watching = _Tracking(tracker, question.plan(storage).trials)
        runner = Runner(question, data, storage, resources, max_failures, [table, watching])
        try:
            runner.run()
            of_sweep.draw_missing(question, data, storage, weights=resources.weights)
        except BaseException as error:
            left = "KILLED" if isinstance(error, KeyboardInterrupt) else "FAILED"
            watching.finish(question, storage, runner.failures, left=left, parent=left)
            raise
    shipped = watching.finish(question, storage, runner.failures, left="FAILED")
    return _conclude(question, storage, runner.failures, tracking_uri if shipped else "")


def _info(question: Question) -> PlanInfo:
    return PlanInfo(
        sweep=question.sweep.name,
        question=question.sweep.question,
        plan_id=question.plan_id,
        base=question.base,
        dataset=question.dataset,
        data_hash=question.base.data,
    )


class _Tracking:
    """A watcher that wakes the tracker."""

    def __init__(self, tracker: Tracker, trials: Sequence[Trial]) -> None:
        self._tracker = tracker
        self._trials = list(trials)
        self._running: set[str] = set()
        tracker.start(self._trials)

    def planned(self, trials: Sequence[Trial], undecided: str) -> None:
        self._trials = list(trials)
        self._update()

    def started(self, trial_id: str) -> None:
        self._running.add(trial_id)
        self._update()

    def reported(self, trial_id: str, report: dict[str, Any]) -> None:
        self._update()

    def ended(self, trial_id: str, failure: str) -> None:
        self._running.discard(trial_id)
        self._update()

    def _update(self) -> None:
        self._tracker.update(self._trials, self._running)

    def finish(
        self,
        question: Question,
        storage: Storage,
        failures: dict[str, Failure],
        *,
        left: str,
        parent: str = "",
    ) -> bool:
        """Give every run its true state: FINISHED with a record, else failed or killed."""
        recorded = storage.record_ids()
        states = {t.id: "FINISHED" if t.id in recorded else left for t in self._trials}
        states |= {trial_id: "FAILED" for trial_id in failures if trial_id not in recorded}
        reasons = {trial_id: failure.text for trial_id, failure in failures.items()}
        return self._tracker.finish(states, reasons, parent=parent)


@dataclass(frozen=True)
class Conclusion:
    """What a sweep ended with."""

    answer: Answer
    storage: Storage
    failed: dict[str, str]
    """Trials without a record, with the reason."""
    shown_at: str
    """Where MLflow has it; "" if it could not be shipped."""
    curve: str
    left_out: list[str] = field(default_factory=list)
    """Names of the trials that a budget did not reach."""

    @property
    def code(self) -> int:
        """Exit code: 1 if any trial of the plan has no record, but for what a budget left out."""
        return 1 if self.failed or self.answer.undecided else 0

    def show(self) -> None:
        """For people."""
        _print(self.answer, self.storage, self.shown_at, self.curve)

    def to_dict(self) -> dict[str, Any]:
        """For machines."""
        from orchestrator.statistics import saying
        from orchestrator.statistics.findings import findings

        stated = saying.as_dict(findings(self.answer.question, self.storage))
        return as_dict(self.answer) | {"failed": self.failed, "findings": stated}


def _conclude(
    question: Question, storage: Storage, failures: dict[str, Failure], shown_at: str
) -> Conclusion:
    found, plan = answer(question, storage), question.plan(storage)
    names = {trial.id: trial.name for trial in plan.trials}
    reasons = {trial_id: failure.text for trial_id, failure in failures.items()}
    failed = {t.id: reasons.get(t.id, "not run") for t in missing(plan, storage)}
    for trial_id, reason in failed.items():
        click.echo(f"failed: {names[trial_id]} ({trial_id}): {reason}", err=True)
    curve = _keep_curve(found, storage) if _is_curve(found) else ""
    left_out = [trial.name for trial in plan.left_out]
    if left_out:
        click.echo(left_out_line(left_out), err=True)
    return Conclusion(found, storage, failed, shown_at, curve, left_out)


def _is_curve(found: Answer) -> bool:
    return isinstance(found.question.sweep.design, Refine) and found.best is not None


def _print(found: Answer, storage: Storage, shown_at: str, curve: str) -> None:
    click.echo(f"\n{found.question.sweep.question}  [{found.question.dataset}]")
    highest = max((row.selection or 0.0 for row in found.rows), default=0.0)
    for row in found.rows:
        click.echo(_line(found, row, highest if len(found.rows) > 1 else 0.0))
    chance = next((row.selection_chance for row in found.rows if row.selection_chance), None)
    if chance:
        click.echo(f"  {'chance':24} {found.split} R@1 sum {chance:5.1f}")
    click.echo(f"\n{sentence(found)}")
    if len(found.rows) > 1 and found.question.seeds == 1:
        click.echo("One seed: differences may be noise. Replicate with --seeds 5.")
    elif len(found.rows) > 1:
        click.echo("\n".join(_verdicts(found, storage)))
    if dropped := sum(row.dropped for row in found.rows):
        click.echo(f"dropped: {dropped} unreadable samples, see `dropped` in the records")
    if curve:
        click.echo(f"curve:   {curve}")
    if storage.picture_ids():
        click.echo(f"drawn:   {files.shown(files.join(storage.url, 'pictures'))}")
    where = "" if storage.url == "runs" else f" --storage {files.shown(storage.url)}"
    click.echo(f"report:  python -m orchestrator report {found.question.sweep.asked_as}{where}")
    click.echo(f"records: {files.shown(files.join(storage.url, 'records'))}")
    if shown_at:
        click.echo(f"pages:   {ui_command(shown_at)}")


def _verdicts(found: Answer, storage: Storage) -> list[str]:
    from orchestrator.statistics import saying  # SciPy and statsmodels take a second to import
    from orchestrator.statistics.findings import findings

    return saying.lines(findings(found.question, storage))


def _line(found: Answer, row: Row, highest: float) -> str:
    """A row of the curve in the terminal; the bar is the selection metric, if there are rivals."""
    seeds = f" ({row.seeds} of {row.planned} seeds)" if row.planned > 1 else ""
    label = f"  {row.label + seeds:24}"
    if not row.test:
        return f"{label} missing"
    bar = f"{'█' * round(20 * (row.selection or 0.0) / highest):20}" if highest else ""
    score = "" if row.selection is None else f"{found.split} R@1 sum {row.selection:5.1f} "
    shown = [
        f"{metric.head} "
        + " ".join(f"{key} {row.test[f'{key}_{metric.name}']:4.1f}" for key in DIRECTIONS)
        for metric in headline(found.question.dataset)
    ]
    return f"{label} {score}{bar} test {', '.join(shown)}"


def _keep_curve(found: Answer, storage: Storage) -> str:
    """Draw the curve and put it beside the records."""
    name = f"{found.question.sweep.name}-{found.question.plan_id}.png"
    url = files.join(storage.url, "answers", name)
    with tempfile.TemporaryDirectory() as folder:
        picture = Path(folder) / name
        plot_curve(found, picture)
        files.write_atomic(url, picture.read_bytes())
    return url
