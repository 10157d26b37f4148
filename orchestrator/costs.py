"""What a trial costs, by its kind: seconds and trained parameters."""

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from search_spaces.designs import Trial
from trainables.experiment import Experiment

MODEL, CHECKPOINTS = 4, 32
"""Bytes a trained parameter: float32 weights that are kept; two generations of weights, Adam's two
moments and the best weights while a trial is under way."""
_FREE = {
    "seed", "data", "epochs", "learning_rate", "weight_decay", "beta1", "beta2", "lr_halve_every",
    "max_broken",
}  # fmt: skip


@dataclass(frozen=True)
class Cost:
    """What a trial of one kind takes: seconds of an epoch and of all else, trained parameters."""

    epoch: float
    setup: float
    once: float = 0.0
    """Seconds that only the first trial of the kind takes: features are derived."""
    trained: int = 0

    def seconds(self, epochs: int) -> float:
        """Of a whole trial."""
        return self.setup + epochs * self.epoch


def kind_of(experiment: Experiment) -> str:
    """What decides how long an epoch takes: every field but those that only change numbers."""
    own = dataclasses.asdict(experiment.loss)
    free = _FREE | {name for name, value in own.items() if isinstance(value, float)}
    shown = {name: value for name, value in experiment.flat().items() if name not in free}
    return repr(sorted(shown.items()))


@dataclass(frozen=True)
class Costs:
    """Costs by kind of trial, and where they are from: `records` or `probe`."""

    source: str
    by_kind: Mapping[str, Cost] = field(default_factory=dict)

    def of(self, experiment: Experiment) -> Cost | None:
        """The cost of a trial's kind, if it is known."""
        return self.by_kind.get(kind_of(experiment))

    def price(self, experiment: Experiment) -> "Price":
        """What one trial costs. A kind that is not known costs as the dearest."""
        dearest = max(self.by_kind.values(), key=lambda cost: cost.seconds(experiment.epochs))
        cost = self.of(experiment) or dearest
        return Price(cost, cost.seconds(experiment.epochs))


@dataclass(frozen=True)
class Price:
    """The cost of a trial's kind, and the seconds of this one."""

    cost: Cost
    seconds: float


def together(prices: Sequence[Price], *, at_once: int) -> float:
    """Seconds of trials of which so many run at once: at least those of the longest."""
    each = [price.seconds for price in prices]
    once = sum(cost.once for cost in {price.cost for price in prices})
    return once + max(sum(each) / at_once, max(each)) if each else 0.0


def unknown(costs: Costs, trials: Iterable[Trial]) -> list[Trial]:
    """The trials whose kind has no cost."""
    return [trial for trial in trials if costs.of(trial.experiment) is None]
