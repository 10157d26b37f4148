"""Whose captions take part: all voices', one's or many's, or those unheard in training."""

from collections.abc import Sequence
from dataclasses import dataclass

from data_shards import order
from data_shards.errors import DataError

FEWEST = 3
"""So many voices data must have to be divided: one to hear alone, another, one unheard."""
PACKING = "pack it with as many captions as voices, --captions V --voices V with V >= 3"


@dataclass(frozen=True)
class Voices:
    """Which captions of an image take part; by default all.

    Args:
        among: only those in these voices.
        beside: only if the image has a caption in this voice too, so that arms share their images.
        seed: only one of them, drawn once for each image, so that arms have as much text.
    """

    among: tuple[str, ...] | None = None
    beside: str | None = None
    seed: int | None = None

    def captions(self, image_id: str, spoken_by: Sequence[str]) -> list[int]:
        """Numbers, from 0, of an image's captions that take part, given the voice of each."""
        if self.beside is not None and self.beside not in spoken_by:
            return []
        numbers = range(len(spoken_by))
        found = [n for n in numbers if self.among is None or spoken_by[n] in self.among]
        if self.seed is None or not found:
            return found
        return [found[order.voice_choice(len(found), seed=self.seed, image_id=image_id)]]

    def missing(self, what: str) -> DataError:
        """The error if none of the captions of `what` takes part."""
        among = self.among or ("any voice",)
        shown = ", ".join(among[:4]) + (", …" if among[4:] else "")
        return DataError(f"{what} must have a caption in {shown}, but has none: {PACKING}.")


ALL = Voices()


def divide(voices: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Voices to train on and voices to test on: the last quarter, rounded half up."""
    heard = len(voices) - (len(voices) + 2) // 4
    return tuple(voices[:heard]), tuple(voices[heard:])
