"""`--probe`: train a little of each kind of trial, on the real data, and take the time."""

import math
import tempfile
import time
from collections.abc import Generator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
import torch

from data_shards.errors import UsageError
from data_shards.manifest import Data, Split
from orchestrator.costs import Cost, Costs, kind_of
from orchestrator.estimates import scaled, trained
from orchestrator.resources import Resources
from trainables import own_training, weights
from trainables.allocator import keep_freed_memory
from trainables.experiment import Experiment
from trainables.own import Source
from trainables.training import Outcome, Report, train

MOST = 12
"""Kinds of trials that are probed; the others count as the dearest of them."""
BATCHES = 8
"""An epoch of a probe has at least so many batches, unless the data have fewer."""


def probe(
    experiments: Sequence[Experiment], data: Data, resources: Resources, source: Source | None
) -> Costs:
    """Train three short epochs of each kind, and write nothing but to a temporary folder.

    Raises:
        UsageError: trials have GPUs, but this machine has none.
    """
    if resources.gpus and not torch.cuda.is_available():
        raise UsageError(
            f"--probe needs what trials will run on, but --gpus-per-trial is {resources.gpus:g} "
            "and PyTorch finds no GPU here: probe where there is one."
        )
    if resources.weights:
        weights.use(resources.weights)
    torch.set_num_threads(max(1, int(resources.cpus_per_trial)))
    keep_freed_memory()
    kinds = {kind_of(one): one for one in experiments}
    found = {}
    with tempfile.TemporaryDirectory(prefix="vfsel-probe-") as folder:  # kinds share features
        for number, (kind, one) in enumerate(list(kinds.items())[:MOST], start=1):
            click.echo(f"probe {number} of {min(len(kinds), MOST)}: {one.model}", err=True)
            found[kind] = _measure(one, data, resources, source, Path(folder))
    return Costs("probe", found)


def _measure(
    experiment: Experiment, data: Data, resources: Resources, source: Source | None, folder: Path
) -> Cost:
    """Once to derive features, then again as every later trial finds them; scaled by the number of
    training images, model loading too: rather too dear than too cheap."""
    part = part_of(data, images=BATCHES * experiment.batch_size)
    asked: dict[str, Any] = {
        "data": part,
        "cache": folder / "cache",
        "device": "cuda" if resources.gpus else "cpu",
        "workers": resources.loader_workers,
    }
    first, _, _, _ = _timed(experiment.replace(epochs=1), source, folder, asked)
    _, epoch, setup, outcome = _timed(experiment.replace(epochs=2), source, folder, asked)
    once = max(0.0, first - setup - epoch)
    ratio = data.manifest.splits["train"].samples / part.manifest.splits["train"].samples
    return scaled(Cost(epoch, setup, once, trained(outcome.parameters)), ratio)


def _timed(
    experiment: Experiment, source: Source | None, folder: Path, asked: dict[str, Any]
) -> tuple[float, float, float, Outcome]:
    """Seconds in all, of the last epoch, of all but epochs; and what was found."""
    training: Generator[Report, None, Outcome]
    checkpoints = str(folder / experiment.trial_id)  # of a number of epochs: another's never
    start = last = time.perf_counter()
    if source:
        training = own_training.train(experiment, source, checkpoints=checkpoints, **asked)
    else:
        training = train(experiment, checkpoints=checkpoints, **asked)
    epoch, epochs = 0.0, 0.0
    while True:
        try:
            report = next(training)
        except StopIteration as end:
            total = time.perf_counter() - start
            return total, epoch, total - epochs, end.value
        epochs += report.seconds
        epoch, last = time.perf_counter() - last, time.perf_counter()


def part_of(data: Data, *, images: int) -> Data:
    """The same data with the first shards of each split: the same share of all, at least so many
    training images if there are as many."""
    share = min(1.0, images / data.manifest.splits["train"].samples)
    splits = {name: _first(split, share) for name, split in data.manifest.splits.items()}
    return replace(data, manifest=replace(data.manifest, splits=splits))


def _first(split: Split, share: float) -> Split:
    return Split(split.classes, split.shards[: math.ceil(share * len(split.shards))])
