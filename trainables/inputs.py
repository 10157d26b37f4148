"""What a trial reads: derived columns of what is frozen, or the shards as a stream."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property

import torch

from data_shards.batches import Batch
from data_shards.columns import SplitFeatures
from data_shards.feature_store import Store
from data_shards.features import derive_images, derive_speech
from data_shards.front_end import FrontEnd
from data_shards.loader import cached_batches
from data_shards.manifest import Data
from data_shards.stream import Broken, streamed_batches
from data_shards.views import View
from trainables.allocator import give_back
from trainables.data_check import training_splits
from trainables.experiment import Experiment
from trainables.model import DualEncoder, autocast
from trainables.speech_encoders import front_end
from trainables.voices import wanted


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

    @property
    def unspoken(self) -> dict[str, int]:
        """Readable images of each split, as far as it was read, of which no caption takes part:
        not trained on; in evaluation they are in the gallery all the same."""
        found = {name: features.unspoken for (name, _), features in self._features.items()}
        return found if self._streamed is None else found | {"train": self._streamed.unspoken}

    @property
    def frozen(self) -> dict[str, str]:
        """What names the frozen part of each side: its settings, and a digest of its weights."""
        return {"image": self.model.image.prefix_key, "speech": self._front.key}

    @cached_property
    def _front(self) -> FrontEnd:
        return front_end(self.experiment, device=self._device)

    @property
    def _device(self) -> torch.device:
        return next(self.model.parameters()).device

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
            front=self._front,
            seed=seed,
            epoch=epoch,
            batch_size=batch_size,
            workers=self.workers,
            broken=self._count(splits),
            voices=wanted(self.experiment, self.data.manifest, splits[0]),
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
        the frames of all captions in voices to test on.

        Raises:
            DataError: there are none.
        """
        features = self._columns(split, View(self.experiment.image_size))
        if not len(features.captions):
            raise features.voices.missing(f"an image of the {split} split")
        return features

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
        speech = derive_speech(
            self.data, split, front=self._front, store=self.store, max_broken=max_broken
        )
        give_back()
        shard_samples = [shard.samples for shard in self.data.manifest.splits[split].shards]
        voices = wanted(self.experiment, self.data.manifest, split)
        return SplitFeatures(images, speech, shard_samples, max_broken, voices)

    def _frozen(self, pixels: torch.Tensor) -> torch.Tensor:
        """In the precision of training: what is cached is what would be computed live."""
        with torch.inference_mode(), autocast(self.experiment, self._device):
            return self.model.image.frozen_prefix(pixels.to(self._device)).cpu()
