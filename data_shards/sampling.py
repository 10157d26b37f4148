"""Which captions and voices each image is packed with, and in which order: all by keyed draws."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from data_shards import draws, splits
from data_shards.datasets.base import Source, SourceImage
from data_shards.manifest import ClassCount
from data_shards.recordings import Recorded
from data_shards.shard_writer import Sample, Spoken


def samples_of_splits(
    source: Source,
    *,
    options: dict[str, Any],
    voices: list[str],
    recorded: Recorded | None = None,
) -> dict[str, list[Sample]]:
    """The samples of each non-empty split, in an order that mixes its classes.

    `options` needs `seed` and `captions` (how many of an image are spoken; all if None). With
    `recorded`, only those captions are taken, and no voice of `voices`.
    """
    seed = options["seed"]
    return {
        split: [
            _sample(image, count=options["captions"], voices=voices, seed=seed, recorded=recorded)
            for image in _shuffled(images, split=split, seed=seed)
        ]
        for split, images in splits.splits(source, seed=seed).items()
    }


def _shuffled(images: Sequence[SourceImage], *, split: str, seed: int) -> list[SourceImage]:
    by_id = sorted(images, key=lambda image: image.image_id)
    order = draws.rng(seed, "order", split).permutation(len(by_id))
    return [by_id[index] for index in order]


def _sample(
    image: SourceImage,
    *,
    count: int | None,
    voices: list[str],
    seed: int,
    recorded: Recorded | None,
) -> Sample:
    takes = None if recorded is None else recorded[image.image_id]
    numbers = draws.rng(seed, "captions", image.image_id).permutation(len(image.captions)).tolist()
    kept = sorted([number for number in numbers if takes is None or number in takes][:count])
    if takes is not None:
        spoken = [Spoken(image.captions[n], takes[n].voice, recording=takes[n]) for n in kept]
    else:
        order = draws.rng(seed, "voice", image.image_id).permutation(len(voices))
        spoken = [
            Spoken(image.captions[number], voice=voices[order[index % len(voices)]])
            for index, number in enumerate(kept)
        ]
    return Sample(image, captions=tuple(spoken))


def class_counts(samples: list[Sample]) -> list[ClassCount]:
    """Images and captions of each class, by class id."""
    names = {sample.image.class_id: sample.image.class_name for sample in samples}
    images = Counter(sample.image.class_id for sample in samples)
    captions: Counter[int] = Counter()
    for sample in samples:
        captions[sample.image.class_id] += len(sample.captions)
    return [
        ClassCount(id=class_id, name=names[class_id], images=count, captions=captions[class_id])
        for class_id, count in sorted(images.items())
    ]
