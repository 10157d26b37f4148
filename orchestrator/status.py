"""How far the sweeps in a storage are, from the storage alone: no Ray, no torch, from anywhere."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

from data_shards.errors import DataError
from orchestrator.eta import duration, pace, sweep_seconds
from orchestrator.planning import Question
from orchestrator.storage import Record, Storage
from search_spaces.designs import Trial

State = Literal["recorded", "damaged", "under way", "stopped", "failed", "to run"]
SILENT_SECONDS = 600.0
SILENT_EPOCHS = 5
"""A trial without a sign for so long, in both measures, has probably stopped."""


@dataclass(frozen=True)
class TrialStatus:
    """A trial's progress: `epoch` of `epochs` reported, the last `seconds_ago`.

    `failed` is what ended its last try and nobody runs now; `stopped` is one whose reports ceased,
    as a killed command leaves it; `damaged` is a record that cannot be read.
    """

    id: str
    name: str
    state: State
    epoch: int
    epochs: int
    seconds_ago: float | None = None
    reason: str = ""
    pace: float | None = None
    """Seconds an epoch."""
    score: float | None = None
    """Selection metric so far (percent, sum of both R@1); None where nothing was held out."""

    @property
    def progress(self) -> str:
        """For people, e.g. `epoch 3 of 10, reported 12 s ago, 2 min left`."""
        if self.reason:
            return f"failed after epoch {self.epoch} of {self.epochs}: {self.reason}"
        if self.seconds_ago is None:
            return self.state
        ago = duration(self.seconds_ago)
        if self.state == "stopped":
            return f"epoch {self.epoch} of {self.epochs}, no sign for {ago}: stopped?"
        left = "" if self.pace is None else f", {duration(self.pace * self.lacking)} left"
        return f"epoch {self.epoch} of {self.epochs}, reported {ago} ago{left}"

    @property
    def lacking(self) -> int:
        """Epochs that it still has to train."""
        return self.epochs - self.epoch

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return vars(self).copy()


@dataclass(frozen=True)
class PlanStatus:
    """A plan's progress; `undecided` says what later records will add, if any."""

    sweep: str
    plan_id: str
    about: str
    trials: list[TrialStatus]
    undecided: str

    def count(self, state: State) -> int:
        """How many trials are in a state."""
        return sum(trial.state == state for trial in self.trials)

    @property
    def is_done(self) -> bool:
        """Whether every trial is recorded and none can follow."""
        return self.count("recorded") == len(self.trials) and not self.undecided

    @property
    def seconds_left(self) -> float | None:
        """Until the plan as it stands has ended; None while nobody trains."""
        running = [trial for trial in self.trials if trial.state == "under way"]
        left = [trial.lacking for trial in self.trials if trial.state != "recorded"]
        paces = [trial.pace for trial in running if trial.pace is not None]
        return sweep_seconds(left, paces=paces, at_once=len(running))

    @property
    def best(self) -> TrialStatus | None:
        """The trial with the highest selection metric so far, if any has one."""
        scored = [trial for trial in self.trials if trial.score is not None]
        return max(scored, key=lambda trial: trial.score or 0.0, default=None)

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "sweep": self.sweep, "plan_id": self.plan_id, "about": self.about,
            **{state: self.count(state) for state in get_args(State)},
            "undecided": self.undecided, "seconds_left": self.seconds_left,
            "best": self.best and self.best.to_dict(),
            "trials": [trial.to_dict() for trial in self.trials],
        }  # fmt: skip


class _Readable(Storage):
    """A storage in which a damaged record is none, as the next `sweep` will see it."""

    def record(self, trial_id: str) -> Record | None:
        """A trial's record, or None if there is none that can be read."""
        try:
            return super().record(trial_id)
        except DataError:
            return None


def plan_status(question: Question, storage: Storage, *, now: float | None = None) -> PlanStatus:
    """The progress of a question's trials as the storage shows it at this moment."""
    now, storage = time.time() if now is None else now, _Readable(storage.url)
    planned, begun = question.plan(storage), storage.report_ids()
    records = storage.records((trial.id for trial in planned.trials), keep=("selection",))
    lacking = [trial.id for trial in planned.trials if not records.get(trial.id)]
    failed = storage.failures(lacking)

    def status(trial: Trial) -> TrialStatus:
        if trial.id in records:
            return _recorded(trial, records[trial.id])
        reports = storage.reports(trial.id) if trial.id in begun else []
        return trial_status(trial, reports, failed.get(trial.id), now=now)

    trials = [status(trial) for trial in planned.trials]
    base = question.base
    about = (
        f"data {question.dataset} {base.data}, {base.model}, {base.epochs} epochs of "
        f"batches of {base.batch_size}, seeds 0 to {question.seeds - 1}"
        + (", oracle: the test split chooses" if base.selection == "test" else "")
    )
    return PlanStatus(question.sweep.name, question.plan_id, about, trials, planned.undecided)


def _recorded(trial: Trial, record: Mapping[str, Any]) -> TrialStatus:
    epochs = trial.experiment.epochs
    if not record:
        return TrialStatus(trial.id, trial.name, "damaged", 0, epochs)
    score = record["selection"]["value"]
    return TrialStatus(trial.id, trial.name, "recorded", epochs, epochs, score=score)


def trial_status(
    trial: Trial,
    reports: list[dict[str, Any]],
    failure: dict[str, Any] | None = None,
    *,
    now: float,
) -> TrialStatus:
    """The progress of a trial without a record, from its reports and why its last try failed."""
    epochs, score = trial.experiment.epochs, _score(reports)
    if failure and failure["time"] >= max((report["time"] for report in reports), default=0.0):
        reason = failure["reason"]
        return TrialStatus(
            trial.id, trial.name, "failed", len(reports), epochs, reason=reason, score=score
        )
    if not reports:
        return TrialStatus(trial.id, trial.name, "to run", 0, epochs)
    ago = max(0.0, now - reports[-1]["time"])  # the clocks of two machines differ
    seconds = pace(reports)
    silent = ago > max(SILENT_SECONDS, SILENT_EPOCHS * (seconds or 0.0))
    state: State = "stopped" if silent else "under way"
    return TrialStatus(
        trial.id, trial.name, state, len(reports), epochs, ago, pace=seconds, score=score
    )


def _score(reports: list[dict[str, Any]]) -> float | None:
    """The best selection metric that was reported."""
    found = [report.get("metrics") or {} for report in reports]
    sums = [way["s2i_r1"] + way["i2s_r1"] for way in found if "s2i_r1" in way and "i2s_r1" in way]
    return max(sums, default=None)
