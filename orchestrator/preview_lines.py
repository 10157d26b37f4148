"""A plan's preview in lines for people."""

from collections.abc import Iterator

from orchestrator.budget import left_out_line
from orchestrator.eta import duration
from orchestrator.preview import Estimate, Preview


def lines(found: Preview, *, features: str, storage: str) -> list[str]:
    """Question, trials, what they take, what they can show; the count last.

    Args:
        features: `feature_plan.told` of it.
    """
    base, plan = found.question.base, found.plan
    shown = [
        found.question.sweep.question,
        f"data {found.question.dataset} {base.data}, {base.model}, {base.epochs} epochs of batches "
        f"of {base.batch_size}, seeds 0 to {found.question.seeds - 1}",
        features,
        *_trials(found),
    ]
    if plan.undecided:
        shown.append(f"undecided     {plan.undecided}")
    if plan.left_out:
        shown.append(left_out_line([trial.name for trial in plan.left_out]))
    return [
        *shown,
        *_estimate(found.estimate, and_more=bool(found.plan.undecided)),
        *_power(found),
        *_changes(found),
        _sum(found, storage),
    ]


def _trials(found: Preview) -> Iterator[str]:
    for trial in found.plan.trials:
        state = "recorded" if trial.id in found.recorded else "to run  "
        also = found.shared.get(trial.id)
        yield f"{trial.id}  {state}  {trial.name}{'  also of ' + ', '.join(also) if also else ''}"


def _estimate(found: Estimate, *, and_more: bool) -> Iterator[str]:
    if found.seconds is None:
        yield f"time:  unknown of {found.unknown} trials: --probe measures it"
        return
    kinds = (
        f"; {found.unknown} trials of other kinds than were probed, as the dearest"
        if found.unknown
        else ""
    )
    yield (
        f"time:  about {duration(found.seconds)} with {found.at_once} at once, "
        f"{found.gpu_hours:.3g} GPU-hours (from {_SOURCES[found.source]}{kinds})"
        f"{'; what is undecided comes on top' if and_more else ''}"
    )
    if found.price is not None:
        yield f"price: {found.price:.2f}"
    yield (
        f"disk:  {found.models_gb:.2g} GB of models kept, up to {found.checkpoints_gb:.2g} GB of "
        "checkpoints under way"
    )


_SOURCES = {"records": "earlier trials", "probe": "a probe"}


def _power(found: Preview) -> Iterator[str]:
    from orchestrator.statistics.power import FEWEST

    if power := found.power:
        why = (
            "assuming differences as on the built-in data" if power.assumed else "from its records"
        )
        size = f"{max(power.seeds, FEWEST)} seeds and {power.classes} test classes ({why})"
        shown = f"differences from {power.points:.1f} points of R@1 sum on, with {size}"
        if power.seeds >= FEWEST:
            yield f"shows: {shown}"
        else:
            yield f"shows: nothing with fewer than {FEWEST} seeds; --seeds {FEWEST}: {shown}"


def _changes(found: Preview) -> list[str]:
    return found.changes.lines() if found.changes else []


def _sum(found: Preview, storage: str) -> str:
    trials = found.plan.trials
    done = sum(trial.id in found.recorded for trial in trials)
    shared = sum(trial.id in found.shared for trial in trials)
    also = f" {shared} are shared with other sweeps." if shared else ""
    return f"{len(trials)} trials: {done} recorded in {storage}, {len(trials) - done} to run.{also}"
