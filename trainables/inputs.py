"""What a trial reads: derived columns for what is frozen, streamed shards for random views."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import torch

from data_shards.batches import Batch
from data_shards.columns import SplitFeatures
from data_shards.features import derive_images, derive_logmel
from data_shards.loader import cached_batches
from data_shards.logmel import LogMel
from data_shards.manifest import Data
from data_shards.stream import Broken, streamed_batches
from data_shards.views import View
from trainables.data_check import training_splits
from trainables.experiment import Experiment
from trainables.model import DualEncoder


@dataclass
class Inputs:
    """Batches and evaluation features of one experiment on one data set.

    Columns are derived at first use into `cache` and shared by all trials of the node.
    """

    experiment: Experiment
    model: DualEncoder
    data: Data
    cache: Path
    workers: int = 0
    """Loader processes for streamed batches."""
    shared: str = ""
    """URI under which nodes share columns; "" for none."""
    _streamed: Broken | None = None
    _features: dict[str, SplitFeatures] = field(default_factory=dict)

    @property
    def dropped(self) -> dict[str, int]:
        """Unreadable samples left out of each split, as far as it was read."""
        found = {name: features.dropped for name, features in self._features.items()}
        return found if self._streamed is None else found | {"train": len(self._streamed.reasons)}

    @cached_property
    def _logmel(self) -> LogMel:
        return LogMel(mels=self.experiment.mels, window=self.experiment.window)

    def training_batches(self, epoch: int) -> Iterator[Batch]:
        """The batches of an epoch: the same for every trial with this seed and data."""
        splits = training_splits(self.experiment, self.data.manifest)
        seed, batch_size = self.experiment.seed, self.experiment.batch_size
        if self.experiment.views == "one":
            features = [self.features(name) for name in splits]
            return cached_batches(features, seed=seed, epoch=epoch, batch_size=batch_size)
        return streamed_batches(
            self.data,
            splits,
            view=View(self.experiment.image_size, kind="random"),
            logmel=self._logmel,
            seed=seed,
            epoch=epoch,
            batch_size=batch_size,
            workers=self.workers,
            broken=self._count(splits),
        )

    def prepare(self) -> None:
        """Derive what training and selection read, before any clock runs."""
        if self.experiment.views == "one":
            for name in training_splits(self.experiment, self.data.manifest):
                self.features(name)
        if self.experiment.selection != "last":
            self.features(self.experiment.selection)

    def _count(self, splits: list[str]) -> Broken:
        """Counts the unreadable samples of an epoch; `dropped` has the last epoch's number."""
        samples = sum(self.data.manifest.splits[name].samples for name in splits)
        self._streamed = Broken(self.experiment.max_broken, samples)
        return self._streamed

    def features(self, split: str) -> SplitFeatures:
        """A split's derived columns: one view an image up to the cut, log-mel of all captions."""
        if split not in self._features:
            self._features[split] = self._derive(split)
        return self._features[split]

    def _derive(self, split: str) -> SplitFeatures:
        max_broken = self.experiment.max_broken
        images = derive_images(
            self.data,
            split,
            key=self.model.image.prefix_key,
            view=View(self.experiment.image_size, kind="one"),
            transform=self._frozen,
            cache=self.cache,
            max_broken=max_broken,
            shared=self.shared,
        )
        speech = derive_logmel(
            self.data,
            split,
            logmel=self._logmel,
            cache=self.cache,
            max_broken=max_broken,
            shared=self.shared,
        )
        shards = self.data.manifest.splits[split].shards
        return SplitFeatures(images, speech, [shard.samples for shard in shards], max_broken)

    def _frozen(self, pixels: torch.Tensor) -> torch.Tensor:
        device = next(self.model.parameters()).device
        with torch.inference_mode():
            return self.model.image.frozen_prefix(pixels.to(device)).cpu()
