"""`train`: a plain generator of reports. Knows nothing of who schedules or tracks it.

Every random draw is keyed (seed, purpose, epoch), checkpoints are atomic and lie between epochs: a
run continued from any of them is bit-identical to one that was never stopped (on CPU).
"""

import math
import time
from collections.abc import Generator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch

from data_shards import draws
from data_shards.batches import Batch
from data_shards.errors import DataError
from data_shards.feature_store import Store
from data_shards.manifest import Data
from trainables.checkpoints import Checkpoints
from trainables.data_check import check_data, training_classes
from trainables.evaluation import evaluate
from trainables.experiment import Experiment
from trainables.inputs import Inputs
from trainables.model import (
    DualEncoder,
    autocast,
    initialise,
    load_trainable_state,
    parameter_counts,
    trainable_state,
)
from trainables.optimisers import Optimisers


class TrainingError(RuntimeError):
    """Training cannot go on, e.g. the loss is not finite; names the epoch and the batch."""


@dataclass(frozen=True)
class Report:
    """What one epoch did. Metrics are percent (`metrics.py`), of the split that selects."""

    epoch: int
    loss: float
    learning_rate: float
    metrics: dict[str, float]
    seconds: float
    pairs_per_second: float


@dataclass(frozen=True)
class Outcome:
    """What a finished run found: the chosen epoch, the test metrics at it, per-query arrays."""

    epoch: int
    selection: float | None
    """`r1_sum` at the chosen epoch, percent; None where nothing was held out to select on."""
    test: dict[str, float]
    queries: dict[str, np.ndarray]
    dropped: dict[str, int] = field(default_factory=dict)
    """Unreadable samples left out, a split."""
    unspoken: dict[str, int] = field(default_factory=dict)
    """Images without a caption in the voices asked for, a split: none is trained on."""
    parameters: dict[str, int] = field(default_factory=dict)
    frozen: dict[str, str] = field(default_factory=dict)
    """Of each side: settings of its frozen part, and a digest of its weights."""


def train(
    experiment: Experiment,
    *,
    data: Data,
    cache: Path,
    checkpoints: str,
    device: str = "cpu",
    workers: int = 0,
    features: str = "",
    cache_limit: int = 0,
    checkpoint_every: int = 1,
) -> Generator[Report, None, Outcome]:
    """Train, report each epoch, and return the outcome on the test split, which is read once.

    Picks up from `checkpoints` if there are any: the reports of the epochs done come again first.

    Args:
        cache: folder of derived columns and of remote shards, shared by the trials of a node.
        checkpoints: folder or URI of this trial's checkpoints.
        device: `cpu` or `cuda`.
        workers: loader processes, for streamed batches.
        features: URI under which nodes share derived columns; "" for none.
        cache_limit: bytes that derived columns may take; 0: no limit.
        checkpoint_every: epochs from one checkpoint to the next; the last epoch always has one.

    Raises:
        UsageError: the experiment does not fit the data.
        DataError: the data are damaged.
        TrainingError: the loss is not finite.
    """
    check_data(experiment, data.manifest)
    run = _Run(
        experiment,
        data.cached(cache),
        Store(cache, shared=features, limit=cache_limit),
        Checkpoints(checkpoints),
        torch.device(device),
        workers,
    )
    yield from run.resume()
    while run.epoch < experiment.epochs:
        report = run.next_epoch()
        if run.epoch % checkpoint_every == 0 or run.epoch == experiment.epochs:
            run.checkpoint()
        yield report
    return run.finish()


class _Run:
    """The state of one training run between epochs."""

    def __init__(
        self,
        experiment: Experiment,
        data: Data,
        store: Store,
        checkpoints: Checkpoints,
        device: torch.device,
        workers: int,
    ) -> None:
        self.experiment = experiment
        self.device = device
        self.checkpoints = checkpoints
        self._classes = torch.tensor(training_classes(experiment, data.manifest))
        self.model = DualEncoder(experiment, classes=len(self._classes))
        initialise(self.model, experiment.seed)
        # After what building a model draws: arms share the draws of dropout, whatever they build.
        torch.manual_seed(draws.key(experiment.seed, "torch"))
        # On a CPU too: a frozen EfficientNet-Lite0 takes a quarter less time, its tail as well.
        self.model.to(device).to(memory_format=torch.channels_last)
        self.optimisers = Optimisers(experiment, self.model)
        self.inputs = Inputs(experiment, self.model, data, store, workers)
        self.reports: list[Report] = []
        self.best_epoch = 0
        self._best: dict[str, torch.Tensor] | None = None
        """Weights of the best epoch, on the CPU, until the next checkpoint."""

    @property
    def epoch(self) -> int:
        """Epochs done."""
        return len(self.reports)

    def resume(self) -> list[Report]:
        """Load the newest checkpoint, if any; the reports of the epochs that it holds."""
        state = self.checkpoints.resume()
        if state is None:
            return []
        load_trainable_state(self.model, state["model"])
        self.optimisers.load_state_dict(state["optimisers"])
        torch.set_rng_state(state["rng"])
        self.best_epoch = state["best_epoch"]
        self.reports = [Report(**report) for report in state["reports"]]
        return list(self.reports)

    def next_epoch(self) -> Report:
        """Train one epoch, measure it, and hold its weights if it is the best so far."""
        self.inputs.prepare()
        epoch, start = self.epoch + 1, time.perf_counter()
        self.optimisers.start_epoch(epoch)
        loss, pairs = self._train_epoch(epoch)
        trained = time.perf_counter()
        report = Report(
            epoch=epoch,
            loss=loss,
            learning_rate=self.optimisers.learning_rate,
            metrics=self._measure(),
            seconds=time.perf_counter() - start,
            pairs_per_second=pairs / (trained - start),
        )
        self.reports.append(report)
        if self._is_best():
            self.best_epoch, self._best = epoch, trainable_state(self.model)
        return report

    def _train_epoch(self, epoch: int) -> tuple[float, int]:
        """Mean loss over the epoch's batches, and the number of pairs seen."""
        self.model.train()
        generator = torch.Generator().manual_seed(draws.key(self.experiment.seed, "loss", epoch))
        losses: list[float] = []
        pairs = 0
        for number, batch in enumerate(self.inputs.training_batches(epoch), start=1):
            losses.append(self._step(batch, generator))
            pairs += len(batch.image_ids)
            if not math.isfinite(losses[-1]):
                raise TrainingError(
                    f"the loss must be finite, but is {losses[-1]} at epoch {epoch}, batch "
                    f"{number}: lower learning_rate or gamma."
                )
        return sum(losses) / len(losses), pairs

    def _step(self, batch: Batch, generator: torch.Generator) -> float:
        batch = batch.to(self.device)
        with autocast(self.experiment, self.device):
            image_BE, speech_BE = self.model(batch.image, batch.frames_BTF, batch.length_B)
        image_BE, speech_BE = image_BE.float(), speech_BE.float()
        self.optimisers.step_opponent(image_BE.detach(), speech_BE.detach())
        class_B = torch.searchsorted(self._classes, batch.class_B.cpu()).to(self.device)
        loss = self.experiment.loss(
            image_BE, speech_BE, class_B, generator=generator, own=self.model.own
        )
        self.optimisers.step(loss)
        return loss.item()

    def _measure(self) -> dict[str, float]:
        if self.experiment.selection == "last":
            return {}
        features = self.inputs.features(self.experiment.selection)
        return evaluate(self.model, features, device=self.device).metrics

    def checkpoint(self) -> None:
        """Write what is needed to go on, and the best of the epochs since the last one."""
        at_best = self.best_epoch == self.epoch
        state: dict[str, Any] = {
            "model": self._best if at_best else trainable_state(self.model),
            "optimisers": self.optimisers.state_dict(),
            "rng": torch.get_rng_state(),
            "reports": [asdict(report) for report in self.reports],
        }
        self.checkpoints.save(state, epoch=self.epoch, best_epoch=self.best_epoch, best=self._best)
        self._best = None

    def _is_best(self) -> bool:
        """With `selection=last` the last epoch always is; else the first with the top `r1_sum`."""
        if not self.best_epoch or self.experiment.selection == "last":
            return True
        best = self.reports[self.best_epoch - 1].metrics["r1_sum"]
        return self.reports[-1].metrics["r1_sum"] > best

    def finish(self) -> Outcome:
        """Evaluate the chosen epoch on the test split."""
        best = self.checkpoints.best(self.best_epoch)
        if best is None:
            raise DataError("a trial's best checkpoint must stay until its record is written, but "
                            "is gone: run the same command again.")  # fmt: skip
        load_trainable_state(self.model, best["model"])
        found = evaluate(self.model, self.inputs.features("test"), device=self.device)
        return Outcome(
            epoch=self.best_epoch,
            selection=self.reports[self.best_epoch - 1].metrics.get("r1_sum"),
            test=found.metrics,
            queries=found.queries,
            dropped=self.inputs.dropped,
            unspoken=self.inputs.unspoken,
            parameters=parameter_counts(self.model),
            frozen=self.inputs.frozen,
        )
