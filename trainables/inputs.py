"""What a trial reads: derived columns of what is frozen, or the shards as a stream."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property

import torch

from data_shards.batches import Batch
from data_shards.columns import SplitFeatures
from data_shards.feature_store import Store
from data_shards.features import derive_images, derive_logmel
from data_shards.loader import cached_batches
from data_shards.logmel import LogMel
from data_shards.manifest import Data
from data_shards.stream import Broken, streamed_batches
from data_shards.views import View
from trainables.allocator import give_back
from trainables.data_check import training_splits
from trainables.experiment import Experiment
from trainables.model import DualEncoder, autocast


@dataclass
class Inputs:
    """Batches and evaluation features of one experiment on one data set.

    Columns are derived at first use into `store` and shared by all trials of the node.
    """

    experiment: Experiment
    model: DualEncoder
    data: Data
    store: Store
    workers: int = 0
    """Loader processes for streamed batches."""
    _streamed: Broken | None = None
    _features: dict[tuple[str, View], SplitFeatures] = field(default_factory=dict)

    @property
    def dropped(self) -> dict[str, int]:
        """Unreadable samples left out of each split, as far as it was read."""
        found = {name: features.dropped for (name, _), features in self._features.items()}
        return found if self._streamed is None else found | {"train": len(self._streamed.reasons)}

    @cached_property
    def _logmel(self) -> LogMel:
        return LogMel(mels=self.experiment.mels, window=self.experiment.window)

    @cached_property
    def _view(self) -> View:
        """The views that training sees."""
        experiment = self.experiment
        return View(experiment.image_size, kind=experiment.views, count=experiment.view_count)

    def training_batches(self, epoch: int) -> Iterator[Batch]:
        """The batches of an epoch: the same for every trial with this seed and data."""
        splits = training_splits(self.experiment, self.data.manifest)
        seed, batch_size = self.experiment.seed, self.experiment.batch_size
        if self.experiment.cached:
            features = [self._columns(name, self._view) for name in splits]
            return cached_batches(features, seed=seed, epoch=epoch, batch_size=batch_size)
        return streamed_batches(
            self.data,
            splits,
            view=self._view,
            logmel=self._logmel,
            seed=seed,
            epoch=epoch,
            batch_size=batch_size,
            workers=self.workers,
            broken=self._count(splits),
        )

    def prepare(self) -> None:
        """Derive what training and selection read, before any clock runs."""
        if self.experiment.cached:
            for name in training_splits(self.experiment, self.data.manifest):
                self._columns(name, self._view)
        if self.experiment.selection != "last":
            self.features(self.experiment.selection)

    def derive(self) -> None:
        """Derive all columns that the experiment ever reads."""
        self.prepare()
        self.features("test")

    def _count(self, splits: list[str]) -> Broken:
        """Counts the unreadable samples of an epoch; `dropped` has the last epoch's number."""
        samples = sum(self.data.manifest.splits[name].samples for name in splits)
        self._streamed = Broken(self.experiment.max_broken, samples)
        return self._streamed

    def features(self, split: str) -> SplitFeatures:
        """A split's derived columns for evaluation: the centred view of each image up to the cut,
        log-mel frames of all captions."""
        return self._columns(split, View(self.experiment.image_size))

    def _columns(self, split: str, view: View) -> SplitFeatures:
        if (split, view) not in self._features:
            self._features[split, view] = self._derive(split, view)
        return self._features[split, view]

    def _derive(self, split: str, view: View) -> SplitFeatures:
        max_broken = self.experiment.max_broken
        images = tuple(
            derive_images(
                self.data,
                split,
                key=self.model.image.prefix_key,
                view=view,
                number=number,
                transform=self._frozen,
                store=self.store,
                max_broken=max_broken,
            )
            for number in range(view.columns)
        )
        speech = derive_logmel(
            self.data, split, logmel=self._logmel, store=self.store, max_broken=max_broken
        )
        give_back()
        shards = self.data.manifest.splits[split].shards
        return SplitFeatures(images, speech, [shard.samples for shard in shards], max_broken)

    def _frozen(self, pixels: torch.Tensor) -> torch.Tensor:
        """In the precision of training: what is cached is what would be computed live."""
        device = next(self.model.parameters()).device
        with torch.inference_mode(), autocast(self.experiment, device):
            return self.model.image.frozen_prefix(pixels.to(device)).cpu()
