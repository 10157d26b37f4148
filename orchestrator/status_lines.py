"""How far a plan is, in lines for people."""

from typing import get_args

from orchestrator.eta import duration
from orchestrator.status import PlanStatus, State

_NOTES = {
    "damaged": " (the same command sets the record aside and tries again)",
    "stopped": " (the same command goes on)",
    "failed": " (the same command tries again)",
}


def lines(status: PlanStatus) -> list[str]:
    """The progress for people, a line a trial, the sum last."""
    shown = [f"plan {status.plan_id}: {status.about}"]
    shown += [f"{trial.id}  {trial.progress:40} {trial.name}" for trial in status.trials]
    if status.undecided:
        shown.append(f"undecided     {status.undecided}")
    return [*shown, *_outlook(status), _sum(status)]


def summary(status: PlanStatus) -> list[str]:
    """The same without its trials."""
    return [
        f"{status.sweep}, plan {status.plan_id}: {status.about}",
        *(f"  {line}" for line in [*_outlook(status), _sum(status)]),
    ]


def _outlook(status: PlanStatus) -> list[str]:
    """The best so far, and how long it will take; neither is always known."""
    found = []
    if (best := status.best) is not None:
        found.append(f"best so far:  {best.name}, R@1 sum {best.score:.1f}")
    if (seconds := status.seconds_left) is not None:
        later = ", and what is undecided" if status.undecided else ""
        count = status.count("under way")
        found.append(f"left:         about {duration(seconds)} with {count} at once{later}")
    return found


def _sum(status: PlanStatus) -> str:
    always: tuple[State, ...] = ("recorded", "under way", "to run")
    counts = [f"{status.count(state)} {state}" for state in always]
    counts += [
        f"{count} {state}{_NOTES[state]}"
        for state in get_args(State)
        if state in _NOTES and (count := status.count(state))
    ]
    return f"{len(status.trials)} trials: {', '.join(counts)}."
