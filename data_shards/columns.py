"""Columns of a split as they lie in the cache, and their view as whole samples."""

import itertools
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import torch
from torch import Tensor

from data_shards import order
from data_shards.stream import Broken
from data_shards.voices import ALL, Voices

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Column:
    """One row an image of the split, in manifest order; `ids` holds "" where it is unreadable."""

    ids: list[str]
    classes: list[int]
    broken: list[str]


@dataclass(frozen=True)
class ImageColumn(Column):
    """`values`: (N, …) float16 features, or uint8 pixels."""

    values: Array


@dataclass(frozen=True)
class SpeechColumn(Column):
    """`frames_TF`: all captions' frames behind one another, float16; `starts` (M + 1): where each
    caption begins; `first` (N + 1): the number of each image's first caption; `voices` (M): who
    speaks each."""

    frames_TF: Array
    starts: Array
    first: Array
    voices: Array


@dataclass(frozen=True)
class SplitFeatures:
    """All columns of a split, restricted to the images that are whole in all.

    Args:
        views: a column for each view of the images.
        shard_samples: number of samples of each shard.
        max_broken: share of the images that may be left out.
        voices: whose captions take part.

    Raises:
        DataError: more are.
    """

    views: tuple[ImageColumn, ...]
    speech: SpeechColumn
    shard_samples: list[int]
    max_broken: float = 1.0
    voices: Voices = ALL

    def __post_init__(self) -> None:
        # A share of each column may be unreadable: together they may still be too many.
        reasons = [*self.images.broken, *self.speech.broken][: self.dropped]
        Broken(self.max_broken, len(self.images.ids), reasons).check()

    @property
    def images(self) -> ImageColumn:
        """The first view. An image that cannot be decoded is missing in every view."""
        return self.views[0]

    def view(self, row: int, *, seed: int, epoch: int) -> Array:
        """An image in the view that the epoch takes."""
        image_id = self.images.ids[row]
        number = order.view_choice(len(self.views), seed=seed, epoch=epoch, image_id=image_id)
        found: Array = self.views[number].values[row]
        return found

    @property
    def dropped(self) -> int:
        """Number of images left out as unreadable."""
        return len(self.images.ids) - len(self.rows)

    @cached_property
    def rows(self) -> list[int]:
        """Rows of the images that are whole."""
        pairs = zip(self.images.ids, self.speech.ids, strict=True)
        return [row for row, (image, speech) in enumerate(pairs) if image and speech]

    @cached_property
    def image_classes(self) -> Array:
        """Class of each whole image (N,)."""
        return np.array(self.images.classes)[self.rows]

    def wanted(self, row: int) -> list[int]:
        """Numbers of the captions of an image that take part."""
        first, end = (int(number) for number in self.speech.first[row : row + 2])
        spoken_by = self.speech.voices[first:end].tolist()
        return [first + n for n in self.voices.captions(self.images.ids[row], spoken_by)]

    @cached_property
    def unspoken(self) -> int:
        """Number of whole images of which no caption takes part."""
        return sum(not self.wanted(row) for row in self.rows)

    @cached_property
    def captions(self) -> Array:
        """Numbers of all captions of whole images that take part (M,)."""
        return np.array([number for row in self.rows for number in self.wanted(row)], dtype=int)

    @cached_property
    def caption_classes(self) -> Array:
        """Class of each of those captions (M,)."""
        row_M = np.searchsorted(self.speech.first, self.captions, side="right") - 1
        found: Array = np.array(self.images.classes)[row_M]
        return found

    def shard_rows(self) -> list[list[int]]:
        """Rows of each shard to train on, in order: whole, and with a caption that takes part."""
        whole, ends = set(self.rows), itertools.accumulate(self.shard_samples, initial=0)
        return [
            [row for row in range(start, end) if row in whole and self.wanted(row)]
            for start, end in itertools.pairwise(ends)
        ]

    def frames(self, caption: int) -> Tensor:
        """A caption's log-mel frames (T, F), float16."""
        start, end = self.speech.starts[caption : caption + 2]
        return torch.from_numpy(np.array(self.speech.frames_TF[start:end]))
