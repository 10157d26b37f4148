"""What a query finds: the best items of a gallery with the samples that they are of."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from data_shards import samples
from data_shards.errors import DataError
from data_shards.manifest import Data
from data_shards.raw import Raw
from orchestrator.query.gallery import Gallery


@dataclass(frozen=True)
class Found:
    """One result."""

    rank: int
    """From 1."""
    place: int
    """In the gallery."""
    score: float
    """Cosine with the query."""
    raw: Raw
    caption: int
    """Which of the sample's captions, if captions were asked for."""
    class_name: str

    @property
    def text(self) -> str:
        """What the caption says; "" where texts are not kept."""
        return self.raw.texts[self.caption]

    @property
    def flac(self) -> bytes:
        """How the caption sounds."""
        return self.raw.flacs[self.caption]

    def described(self, *, captions: bool) -> dict[str, Any]:
        """Plain values for machines."""
        about: dict[str, Any] = {
            "rank": self.rank, "score": self.score, "class": self.class_name,
            "class_id": self.raw.class_id, "image_id": self.raw.image_id,
        }  # fmt: skip
        if not captions:
            return about
        voice = self.raw.voices[self.caption]
        return about | {"caption": self.caption, "text": self.text, "voice": voice}


def found(
    gallery: Gallery, ranked: Sequence[tuple[int, float]], data: Data, *, split: str
) -> list[Found]:
    """The samples of the best items, in their order.

    Raises:
        DataError: a shard is missing or damaged.
    """
    rows = [int(gallery.row_G[place]) for place, _ in ranked]
    raws = samples.at_rows(data, split, rows)
    names = samples.class_names(data, split)
    if lost := set(rows) - raws.keys():
        raise DataError(f"row {min(lost)} of {split} must be whole, but is not; see `data verify`.")
    return [
        Found(rank, place, score, raws[row], int(gallery.caption_G[place]),
              names[raws[row].class_id])
        for rank, ((place, score), row) in enumerate(zip(ranked, rows, strict=True), start=1)
    ]  # fmt: skip
