"""A cut of a data set for trying out: some of its classes, some images of each."""

from collections.abc import Sequence
from typing import TypeVar

from data_shards import draws
from data_shards.errors import UsageError

Name = TypeVar("Name")
_SEED = 0


def cut(ids: list[int], *, classes: tuple[int, int] | None) -> list[int]:
    """Those of the class ids (sorted) from the first to the last of `classes`; all if None.

    Raises:
        UsageError: none is left.
    """
    if classes is None:
        return ids
    first, last = classes
    kept = [class_id for class_id in ids if first <= class_id <= last]
    if not kept:
        raise UsageError(
            f"classes must leave some of the training and some of the test classes, but "
            f"{first}-{last} leaves none of {ids[0]}-{ids[-1]}."
        )
    return kept


def draw(images: Sequence[Name], *, class_id: int, count: int | None) -> list[Name]:
    """`count` images of a class, in their order, drawn with a fixed seed; all if None.

    A larger number keeps those of a smaller one.

    Raises:
        UsageError: `count` is below 1.
    """
    if count is None:
        return list(images)
    if count < 1:
        raise UsageError(f"images_per_class must be >= 1, but got {count}.")
    order = draws.rng(_SEED, "images of a class", class_id).permutation(len(images))
    return [images[index] for index in sorted(order[:count])]


def described(classes: tuple[int, int] | None, *, images_per_class: int | None) -> str:
    """The cut in words, for a source's description."""
    cut_to = f"classes {classes[0]}-{classes[1]}" if classes else "all classes"
    per_class = f"{images_per_class} images a class" if images_per_class else "all images"
    return f"{cut_to}, {per_class}"
