"""What a data set hands to the packer: photographs with captions, in two class-disjoint lists.

A data set is one file beside this one with a function `read(...) -> Source`.
"""

import abc
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from PIL import Image

from data_shards.errors import DataError

_IMAGE_ID = re.compile(r"[A-Za-z0-9_-]+")


@dataclass(frozen=True, kw_only=True)
class SourceImage(abc.ABC):
    """One photograph and what people (or a template) said about it.

    Subclasses are final, frozen dataclasses that pickle cheaply (a path or parameters, no
    pixels): they travel to worker processes. `image_id` is unique in the data set and names the
    sample in a tar file; `class_id` is the official number; `captions` has at least one text.

    Raises:
        DataError: an id that cannot name a tar member, or no caption.
    """

    image_id: str
    class_id: int
    class_name: str
    captions: tuple[str, ...]

    def __post_init__(self) -> None:
        if not _IMAGE_ID.fullmatch(self.image_id):
            raise DataError(f"image_id must match {_IMAGE_ID.pattern}, but got {self.image_id!r}.")
        if not self.captions:
            raise DataError(f"image {self.image_id} must have at least one caption, but has none.")

    @abc.abstractmethod
    def open(self) -> Image.Image:
        """The image as Pillow opens or draws it, in any mode and size, not necessarily decoded."""


@dataclass(frozen=True, kw_only=True)
class Source:
    """A data set as its official files give it, before validation classes are held out.

    `description` says where the data is from and how it was cut, without any machine path: it
    is part of the manifest, hence of its hash. `skipped` counts what the reader left out, by
    reason.
    """

    dataset: str
    description: str
    train: Sequence[SourceImage]
    test: Sequence[SourceImage]
    skipped: Mapping[str, int] = field(default_factory=dict)
