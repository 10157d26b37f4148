"""What trials will cost, told from what earlier ones took."""

import dataclasses
import math
import os
from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any

from data_shards.errors import UsageError
from data_shards.manifest import Data
from orchestrator.budget import Budget, limit
from orchestrator.costs import Cost, Costs, kind_of, together, unknown
from orchestrator.eta import duration, pace
from orchestrator.planning import Question, missing
from orchestrator.report.sound import Sound
from orchestrator.resources import Resources
from orchestrator.storage import Storage
from trainables.experiment import Experiment

_KEPT = ("experiment", "reports", "seconds", "parameters", "environment")


def estimate(
    question: Question, data: Data, storage: Storage, resources: Resources, *, probed: bool
) -> Costs:
    """What the trials without a record cost: from a probe, else from records, as far as they tell.

    Raises:
        UsageError: a probe needs a GPU that this machine does not have.
    """
    if not probed:
        return from_records(question, data, storage, gpus=resources.gpus)
    from orchestrator.probe import probe

    experiments = [trial.experiment for trial in missing(question.plan(storage), storage)]
    return probe(experiments, data, resources, question.sweep.code)


def within(
    question: Question, asked: str, costs: Costs, storage: Storage, resources: Resources
) -> Question:
    """The question, of which only what the budget `asked` suffices for is planned.

    Raises:
        UsageError: it is no budget, nothing tells what trials cost, or it is too small for one.
    """
    seconds, added_up = limit(asked, gpus=resources.gpus)
    left = missing(question.plan(storage), storage)
    dark = [] if costs.source == "probe" else unknown(costs, left)
    if dark:
        raise UsageError(
            f"--budget needs to know what trials cost, but no record tells it of {len(dark)} of "
            f"{len(left)}, e.g. {dark[0].name}: add --probe, which trains a little of each kind."
        )
    side_by_side = 1 if added_up else at_once(resources)
    recorded = frozenset(storage.record_ids())
    budget = Budget(asked, seconds, side_by_side, costs, recorded)
    found = dataclasses.replace(question, budget=budget)
    plan = found.plan(storage)
    if not plan.trials:
        first = plan.left_out[0]
        takes = duration(together([costs.price(first.experiment)], at_once=1))
        raise UsageError(
            f"--budget must suffice for one trial, but got {asked}, and {first.name} takes about "
            f"{takes}: raise it."
        )
    return found


def at_once(resources: Resources) -> int:
    """Trials that run side by side: `--max-concurrent`, else as many as this machine holds; at
    least 1."""
    if resources.max_concurrent:
        return resources.max_concurrent
    fit = (os.cpu_count() or 1) / resources.request["cpu"]
    if resources.gpus:
        import torch

        fit = min(fit, torch.cuda.device_count() / resources.gpus)
    return max(1, math.floor(fit))


def from_records(question: Question, data: Data, storage: Storage, *, gpus: float) -> Costs:
    """What recorded trials of the same kinds took: medians, those on the same data if there are
    any, else scaled by the number of training images; with or without GPU, as these will run."""
    images = {plan["base"]["data"]: _images(plan) for plan in storage.plans()}
    now = data.manifest.splits["train"].samples
    wanted = {kind_of(trial.experiment) for trial in question.plan(storage).trials}
    found: dict[str, list[tuple[bool, Cost]]] = {}
    for record in Sound(storage.url).records(storage.record_ids(), keep=_KEPT).values():
        experiment = _experiment(record)
        if experiment and (record["environment"].get("device") == "cpu") == (not gpus):
            same = experiment.data == question.base.data
            before = now if same else images.get(experiment.data, 0)
            kind, cost = kind_of(experiment), _cost(record)
            if kind in wanted and cost and before:
                found.setdefault(kind, []).append((same, scaled(cost, now / before)))
    return Costs("records", {kind: _median(costs) for kind, costs in found.items()})


def _experiment(record: Mapping[str, Any]) -> Experiment | None:
    """None for a record that is not whole, or of a component that is no longer there."""
    if not set(_KEPT) <= set(record):
        return None
    try:
        return Experiment.from_dict(record["experiment"])
    except UsageError:
        return None


def _images(plan: Mapping[str, Any]) -> int:
    return int(plan.get("facts", {}).get("splits", {}).get("train", {}).get("images", 0))


def _cost(record: Mapping[str, Any]) -> Cost | None:
    epoch = pace(record["reports"])
    if epoch is None:
        return None
    setup = max(0.0, record["seconds"] - epoch * len(record["reports"]))
    return Cost(epoch, setup, trained=trained(record["parameters"]))


def trained(parameters: Mapping[str, int]) -> int:
    """Trained parameters of both sides and the loss, or of a trainable of one's own."""
    return sum(count for name, count in parameters.items() if name.endswith("trained"))


def scaled(cost: Cost, ratio: float) -> Cost:
    """The cost on so many times as many images."""
    return Cost(cost.epoch * ratio, cost.setup * ratio, cost.once * ratio, cost.trained)


def _median(costs: Sequence[tuple[bool, Cost]]) -> Cost:
    best = [cost for same, cost in costs if same] or [cost for _, cost in costs]
    return Cost(
        median(cost.epoch for cost in best),
        median(cost.setup for cost in best),
        trained=best[0].trained,
    )
