"""What a data set hands to the packer: photographs with captions, in class-disjoint lists.

A data set is one file beside this one with a function `read(...) -> Source`.
"""

import abc
import dataclasses
import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, final

from PIL import Image

from data_shards.errors import DataError

FORMATS = ("JPEG", "PNG", "TIFF", "WEBP", "GIF", "BMP")  # no EPS: Pillow runs a program for it
_IMAGE_ID = re.compile(r"[A-Za-z0-9_-]+")


@dataclass(frozen=True, kw_only=True)
class SourceImage(abc.ABC):
    """One photograph and what people (or a template) said about it.

    Subclasses are final, frozen dataclasses that pickle cheaply (a path or parameters, no
    pixels): they travel to worker processes. `image_id` is unique in the data set and names the
    sample in a tar file; `class_id` is the official number; `captions` has at least one text (which
    may be empty if its recording is all there is).

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

    def notes(self) -> dict[str, Any]:
        """What else the sample's JSON member says of the image; nothing by default."""
        return {}


@final
@dataclass(frozen=True, kw_only=True)
class Photograph(SourceImage):
    """A JPEG file."""

    path: Path

    def open(self) -> Image.Image:
        return Image.open(self.path, formats=FORMATS)


@dataclass(frozen=True)
class Take:
    """A data set's own recording of a caption, `<root>/<folder>/<file>`, and who speaks."""

    path: Path
    voice: str


Takes = Mapping[str, Mapping[int, Take]]
"""Image id → number of a caption, from 0 → its recording."""


@dataclass(frozen=True, kw_only=True)
class Source:
    """A data set as its official files give it.

    `val` is the official validation split; without one, classes of `train` are held out for it.
    `takes` are the data set's own recordings, which take the place of an engine.

    `description` says where the data is from and how it was cut, without any machine path: it
    is part of the manifest, hence of its hash. `skipped` counts what the reader left out, by
    reason.
    """

    dataset: str
    description: str
    train: Sequence[SourceImage]
    test: Sequence[SourceImage]
    val: Sequence[SourceImage] | None = None
    takes: Takes | None = None
    skipped: Mapping[str, int] = field(default_factory=dict)

    @property
    def images(self) -> list[SourceImage]:
        """Those of all lists."""
        return [*self.train, *(self.val or ()), *self.test]

    def only(self, image_ids: Collection[str], *, without: Mapping[str, int]) -> "Source":
        """The same with these images alone; `without` adds to what was left out, by reason."""

        def kept(part: Sequence[SourceImage]) -> list[SourceImage]:
            return [image for image in part if image.image_id in image_ids]

        return dataclasses.replace(
            self,
            train=kept(self.train),
            val=None if self.val is None else kept(self.val),
            test=kept(self.test),
            skipped=dict(Counter(self.skipped) + Counter(without)),
        )
