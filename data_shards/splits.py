"""The splits: official ones, or whole classes held out of the training classes for validation.

The fine-grained sets have no official validation split, and the thesis chose epochs and γ on the
test split; here they are chosen on classes that are neither trained on nor tested.
"""

from collections.abc import Sequence

from data_shards import draws
from data_shards.datasets.base import Source, SourceImage

_FEWEST_CLASSES = 10  # fewer than this: no validation split
_FEWEST_HELD = 5

Images = list[SourceImage]


def splits(source: Source, *, seed: int) -> dict[str, Images]:
    """The images of each non-empty split; the official validation split where there is one."""
    if source.val is None:
        train, val = hold_out(source.train, seed=seed)
    else:
        train, val = list(source.train), list(source.val)
    parts = {"train": train, "val": val, "test": list(source.test)}
    return {name: images for name, images in parts.items() if images}


def hold_out(train: Sequence[SourceImage], *, seed: int) -> tuple[Images, Images]:
    """Training images and validation images, class-disjoint.

    A tenth of the classes (rounded half up), at least 5, is held out; none if there are fewer
    than 10. The draw depends on the seed and the class ids alone.
    """
    classes = sorted({image.class_id for image in train})
    if len(classes) < _FEWEST_CLASSES:
        return list(train), []
    count = max(_FEWEST_HELD, (len(classes) + 5) // 10)
    order = draws.rng(seed, "validation classes").permutation(len(classes))
    held = {classes[index] for index in order[:count]}
    kept = [image for image in train if image.class_id not in held]
    return kept, [image for image in train if image.class_id in held]
