"""Run a trainable of one's own, and hold it to its contract: reports in order, an outcome."""

import math
from collections.abc import Generator, Mapping
from pathlib import Path
from typing import Any

import torch

from data_shards import draws
from data_shards.manifest import Data
from trainables import user_code
from trainables.experiment import Experiment
from trainables.own import Source
from trainables.settings import Settings
from trainables.training import Outcome, Report, TrainingError

SELECTING = ("r1_sum", "s2i_chance", "i2s_chance")
"""What a report must measure where an epoch is chosen by it."""
MEASURED = tuple(
    f"{direction}_{metric}"
    for direction in ("s2i", "i2s")
    for metric in (
        "r1", "r5", "r10", "medr", "map50", "map50_hits", "map50_thesis", "chance",
    )
)  # fmt: skip
"""What an outcome must measure on the test split."""


def train(
    experiment: Experiment,
    source: Source,
    *,
    data: Data,
    cache: Path,
    checkpoints: str,
    device: str = "cpu",
    workers: int = 0,
) -> Generator[Report, None, Outcome]:
    """As `training.train`, by the user's own code.

    torch's random numbers are those of the trial's seed when it begins.

    Raises:
        UsageError: the source cannot be run.
        TrainingError: what it yields or returns is not as agreed.
    """
    name = f"own_{source.name}_{source.sha256[:12]}"
    module = user_code.run(source.text, name=name, shown=source.shown)
    torch.manual_seed(draws.key(experiment.seed, "own"))
    training = module.train(
        Settings.of(experiment), data=data, cache=cache, checkpoints=checkpoints, device=device,
        workers=workers,
    )  # fmt: skip
    if not isinstance(training, Generator):
        raise _broken(source, "train must be a generator of reports", type(training).__name__)
    count = 0
    while True:
        try:
            report = next(training)
        except StopIteration as end:
            return _checked_outcome(source, end.value, epochs=count)
        count += 1
        yield _checked_report(source, report, epoch=count, selection=experiment.selection)


def _checked_report(source: Source, report: Any, *, epoch: int, selection: str) -> Report:
    if not isinstance(report, Report):
        raise _broken(source, "train must yield a Report", type(report).__name__)
    if report.epoch != epoch:
        raise _broken(source, f"report {epoch} must be of epoch {epoch}", report.epoch)
    if not math.isfinite(report.loss):
        raise _broken(source, "the loss must be finite", f"{report.loss} at epoch {epoch}")
    needs = () if selection == "last" else SELECTING
    _check_metrics(source, "a report's metrics", report.metrics, needs)
    return report


def _checked_outcome(source: Source, outcome: Any, *, epochs: int) -> Outcome:
    if not isinstance(outcome, Outcome):
        raise _broken(source, "train must return an Outcome", type(outcome).__name__)
    if not 1 <= outcome.epoch <= epochs:
        raise _broken(source, f"the outcome's epoch must be in 1–{epochs}", outcome.epoch)
    _check_metrics(source, "the outcome's test", outcome.test, MEASURED)
    return outcome


def _check_metrics(
    source: Source, what: str, metrics: Mapping[str, float], needs: tuple[str, ...]
) -> None:
    if missing := [name for name in needs if name not in metrics]:
        raise _broken(source, f"{what} must hold {missing[0]} (see toolkit.measure)", list(metrics))
    for name, value in metrics.items():
        if not math.isfinite(value):
            raise _broken(source, f"{what} must be finite", f"{name}={value}")


def _broken(source: Source, rule: str, value: Any) -> TrainingError:
    return TrainingError(f"{source.shown}: {rule}, but got {value}: mend it and run again.")
