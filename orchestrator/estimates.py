"""What trials will cost: seconds and bytes, by kind of trial, from what earlier ones took."""

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any

from data_shards.manifest import Data
from orchestrator.eta import pace
from orchestrator.planning import Question
from orchestrator.storage import Storage
from search_spaces.designs import Trial
from trainables.experiment import Experiment

MODEL, CHECKPOINTS = 4, 32
"""Bytes a trained parameter: float32 weights that are kept; two generations of weights, Adam's two
moments and the best weights while a trial is under way."""
_FREE = {
    "seed", "data", "epochs", "learning_rate", "weight_decay", "beta1", "beta2", "lr_halve_every",
    "max_broken",
}  # fmt: skip
_KEPT = ("experiment", "reports", "seconds", "parameters", "environment")


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

    def seconds(self, experiments: Sequence[Experiment], *, at_once: int) -> float:
        """Seconds of these trials, so many at once. A kind that is not known counts as the dearest.

        At least the longest trial's; features are derived before.
        """
        found = [self._or_dearest(one) for one in experiments]
        each = [cost.seconds(one.epochs) for cost, one in zip(found, experiments, strict=True)]
        once = sum(cost.once for cost in set(found))
        return once + max(sum(each) / at_once, max(each)) if each else 0.0

    def _or_dearest(self, experiment: Experiment) -> Cost:
        dearest = max(self.by_kind.values(), key=lambda cost: cost.seconds(experiment.epochs))
        return self.of(experiment) or dearest


def unknown(costs: Costs, trials: Iterable[Trial]) -> list[Trial]:
    """The trials whose kind has no cost."""
    return [trial for trial in trials if costs.of(trial.experiment) is None]


def from_records(question: Question, data: Data, storage: Storage, *, gpus: float) -> Costs:
    """What recorded trials of the same kinds took: medians, those on the same data if there are
    any, else scaled by the number of training images; with or without GPU, as these will run."""
    images = {plan["base"]["data"]: _images(plan) for plan in storage.plans()}
    now = data.manifest.splits["train"].samples
    wanted = {kind_of(trial.experiment) for trial in question.plan(storage).trials}
    found: dict[str, list[tuple[bool, Cost]]] = {}
    for record in storage.records(storage.record_ids(), keep=_KEPT).values():
        if set(_KEPT) <= set(record) and (record["environment"]["device"] == "cpu") == (not gpus):
            experiment = Experiment.from_dict(record["experiment"])
            same = experiment.data == question.base.data
            before = now if same else images.get(experiment.data, 0)
            kind, cost = kind_of(experiment), _cost(record)
            if kind in wanted and cost and before:
                found.setdefault(kind, []).append((same, _scaled(cost, now / before)))
    return Costs("records", {kind: _median(costs) for kind, costs in found.items()})


def _images(plan: Mapping[str, Any]) -> int:
    return int(plan.get("facts", {}).get("splits", {}).get("train", {}).get("images", 0))


def _cost(record: Mapping[str, Any]) -> Cost | None:
    epoch = pace(record["reports"])
    if epoch is None:
        return None
    setup = max(0.0, record["seconds"] - epoch * len(record["reports"]))
    return Cost(epoch, setup, trained=record["parameters"].get("trained", 0))


def _scaled(cost: Cost, ratio: float) -> Cost:
    return Cost(cost.epoch * ratio, cost.setup * ratio, trained=cost.trained)


def _median(costs: Sequence[tuple[bool, Cost]]) -> Cost:
    best = [cost for same, cost in costs if same] or [cost for _, cost in costs]
    return Cost(
        median(cost.epoch for cost in best),
        median(cost.setup for cost in best),
        trained=best[0].trained,
    )
