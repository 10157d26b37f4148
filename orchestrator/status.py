"""How far the sweeps in a storage are, from the storage alone: no Ray, no torch, from anywhere."""

import time
from dataclasses import dataclass
from typing import Any, Literal

from orchestrator.planning import Question
from orchestrator.storage import Storage
from search_spaces.designs import Trial

State = Literal["recorded", "under way", "failed", "to run"]


@dataclass(frozen=True)
class TrialStatus:
    """A trial's progress: `epoch` of `epochs` reported, the last `seconds_ago`.

    `failed` is what ended its last try and nobody runs now; the same command tries it again.
    """

    id: str
    name: str
    state: State
    epoch: int
    epochs: int
    seconds_ago: float | None = None
    reason: str = ""

    @property
    def progress(self) -> str:
        """For people, e.g. `epoch 3 of 10, reported 12 s ago`."""
        if self.reason:
            return f"failed after epoch {self.epoch} of {self.epochs}: {self.reason}"
        if self.seconds_ago is None:
            return self.state
        return f"epoch {self.epoch} of {self.epochs}, reported {duration(self.seconds_ago)} ago"

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return vars(self).copy()


@dataclass(frozen=True)
class PlanStatus:
    """A plan's progress; `undecided` says what later records will add, if any."""

    plan_id: str
    about: str
    trials: list[TrialStatus]
    undecided: str

    def count(self, state: State) -> int:
        """How many trials are in a state."""
        return sum(trial.state == state for trial in self.trials)

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        trials = [trial.to_dict() for trial in self.trials]
        return {
            "plan_id": self.plan_id, "about": self.about,
            "recorded": self.count("recorded"), "under way": self.count("under way"),
            "failed": self.count("failed"), "to run": self.count("to run"),
            "undecided": self.undecided, "trials": trials,
        }  # fmt: skip


def plan_status(question: Question, storage: Storage, *, now: float | None = None) -> PlanStatus:
    """The progress of a question's trials as the storage shows it at this moment."""
    now = time.time() if now is None else now
    planned, recorded, begun = question.plan(storage), storage.record_ids(), storage.report_ids()
    failed = storage.failures(trial.id for trial in planned.trials if trial.id not in recorded)

    def status(trial: Trial) -> TrialStatus:
        if trial.id in recorded:
            return _recorded(trial)
        reports = storage.reports(trial.id) if trial.id in begun else []
        return trial_status(trial, reports, failed.get(trial.id), now=now)

    trials = [status(trial) for trial in planned.trials]
    base = question.base
    about = (
        f"data {question.dataset} {base.data}, {base.image_encoder}, {base.epochs} epochs of "
        f"batches of {base.batch_size}, seeds 0 to {question.seeds - 1}"
    )
    return PlanStatus(question.plan_id, about, trials, planned.undecided)


def _recorded(trial: Trial) -> TrialStatus:
    epochs = trial.experiment.epochs
    return TrialStatus(trial.id, trial.name, "recorded", epochs, epochs)


def trial_status(
    trial: Trial,
    reports: list[dict[str, Any]],
    failure: dict[str, Any] | None = None,
    *,
    now: float,
) -> TrialStatus:
    """The progress of a trial without a record, from its reports and why its last try failed."""
    epochs = trial.experiment.epochs
    if failure and failure["time"] >= max((report["time"] for report in reports), default=0.0):
        reason = failure["reason"]
        return TrialStatus(trial.id, trial.name, "failed", len(reports), epochs, reason=reason)
    if not reports:
        return TrialStatus(trial.id, trial.name, "to run", 0, epochs)
    ago = max(0.0, now - reports[-1]["time"])  # the clocks of two machines differ
    return TrialStatus(trial.id, trial.name, "under way", len(reports), epochs, ago)


def lines(status: PlanStatus) -> list[str]:
    """The progress for people, a line a trial, the sum last."""
    shown = [f"plan {status.plan_id}: {status.about}"]
    shown += [f"{trial.id}  {trial.progress:40} {trial.name}" for trial in status.trials]
    if status.undecided:
        shown.append(f"undecided     {status.undecided}")
    counts = [f"{status.count(s)} {s}" for s in ("recorded", "under way", "to run")]
    if failed := status.count("failed"):
        counts.append(f"{failed} failed (the same command tries again)")
    return [*shown, f"{len(status.trials)} trials: {', '.join(counts)}."]


def duration(seconds: float) -> str:
    """`12 s`, `5 min`, `3 h`, `2 days`: what a person wants to know."""
    for size, unit in ((86400, "days"), (3600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"
