"""What a plan is before anything runs: trials, time, price, disk, power, changes."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from data_shards.manifest import Data
from orchestrator.changes import Changes, changes
from orchestrator.costs import CHECKPOINTS, MODEL, Costs, together, unknown
from orchestrator.estimates import at_once
from orchestrator.feature_plan import columns, gigabytes
from orchestrator.planning import Question, missing
from orchestrator.resources import Resources
from orchestrator.storage import Storage
from search_spaces.designs import Plan, Trial

if TYPE_CHECKING:
    from orchestrator.statistics.power import Power


@dataclass(frozen=True)
class Estimate:
    """What the trials to run take together; None where it is not known."""

    source: str
    """`records` or `probe`."""
    unknown: int
    """Trials whose kind nothing tells of; with a probe they count as the dearest."""
    at_once: int
    seconds: float | None
    """On the clock."""
    gpu_hours: float | None
    price: float | None
    models_gb: float | None
    """What finished trials keep."""
    checkpoints_gb: float | None
    """At most, while trials are under way."""


@dataclass(frozen=True)
class Preview:
    """All of it, for one data set."""

    question: Question
    plan: Plan
    recorded: frozenset[str]
    shared: Mapping[str, Sequence[str]]
    estimate: Estimate
    features_gb: float
    power: "Power | None"
    changes: Changes | None

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        trials = [self._trial(t, left_out=False) for t in self.plan.trials]
        trials += [self._trial(t, left_out=True) for t in self.plan.left_out]
        return {
            "dataset": self.question.dataset,
            "trials": trials,
            "undecided": self.plan.undecided,
            "estimate": asdict(self.estimate),
            "features_gb": self.features_gb,
            "smallest_difference": asdict(self.power) if self.power else None,
            "changes": asdict(self.changes) if self.changes else None,
        }

    def _trial(self, trial: Trial, *, left_out: bool) -> dict[str, Any]:
        return {
            "id": trial.id,
            "name": trial.name,
            "recorded": trial.id in self.recorded,
            "shared": list(self.shared.get(trial.id, [])),
            "left_out": left_out,
        }


def preview(
    question: Question,
    data: Data,
    storage: Storage,
    *,
    costs: Costs,
    resources: Resources,
    price: float | None,
    shared: Mapping[str, Sequence[str]],
) -> Preview:
    """Everything that is known of a question before it runs.

    Args:
        price: of a GPU-hour, in any currency.
        shared: trial id → other sweeps that want it.
    """
    from orchestrator.statistics.power import smallest

    plan = question.plan(storage)
    return Preview(
        question=question,
        plan=plan,
        recorded=frozenset(storage.record_ids()),
        shared=shared,
        estimate=_estimate(missing(plan, storage), costs, resources, price),
        features_gb=gigabytes(columns((t.experiment for t in plan.trials), data.manifest)),
        power=smallest(question, storage),
        changes=changes(question, storage),
    )


def _estimate(
    todo: Sequence[Trial], costs: Costs, resources: Resources, price: float | None
) -> Estimate:
    dark, side_by_side = len(unknown(costs, todo)), at_once(resources)
    if dark and (costs.source == "records" or not costs.by_kind):
        return Estimate(costs.source, dark, side_by_side, *[None] * 5)
    prices = [costs.price(trial.experiment) for trial in todo]
    hours = together(prices, at_once=1) * resources.gpus / 3600
    parameters = sorted((each.cost.trained for each in prices), reverse=True)
    return Estimate(
        source=costs.source,
        unknown=dark,
        at_once=side_by_side,
        seconds=together(prices, at_once=side_by_side),
        gpu_hours=hours,
        price=None if price is None else hours * price,
        models_gb=MODEL * sum(parameters) / 1e9,
        checkpoints_gb=CHECKPOINTS * sum(parameters[:side_by_side]) / 1e9,
    )
