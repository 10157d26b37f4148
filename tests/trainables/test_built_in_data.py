"""What the built-in data teach: attributes that combine anew, and nothing else."""

import dataclasses

import numpy as np
import pytest

from data_shards import draws
from data_shards.datasets import synth
from data_shards.manifest import load
from data_shards.pack import pack
from trainables.presets import PRESETS
from trainables.training import train

pytestmark = pytest.mark.slow


def _test_metrics(source, folder):
    pack(source, folder / "data", captions=None, voices=4, workers=2, show=False)
    data = load(folder / "data")
    generator = train(
        PRESETS["demo"].replace(data=data.manifest.hash),
        data=data,
        cache=folder / "cache",
        checkpoints=str(folder / "checkpoints"),
    )
    while True:
        try:
            next(generator)
        except StopIteration as end:
            return end.value


def _permuted(images):
    """The same images with captions of others, permuted across classes."""
    order = draws.rng(0, "permuted").permutation(len(images))
    return [
        dataclasses.replace(image, captions=images[other].captions)
        for image, other in zip(images, order, strict=True)
    ]


def test_new_combinations_are_found_at_four_times_chance(tmp_path):
    test = _test_metrics(synth.read(), tmp_path).test
    assert test["s2i_r1"] >= 4 * test["s2i_chance"]
    assert test["i2s_r1"] >= 4 * test["i2s_chance"]


def test_with_captions_permuted_across_classes_nothing_is_learnt(tmp_path):
    """R@1 is chance within 3 sd: background, position and size say nothing of the class.

    Images of a class answer alike, so the class is the independent unit of the sd.
    """
    source = synth.read()
    mixed = dataclasses.replace(
        source, train=_permuted(source.train), test=_permuted(source.test),
        description="captions permuted across classes",
    )  # fmt: skip
    outcome = _test_metrics(mixed, tmp_path)
    classes = len({image.class_id for image in source.test})
    for direction, per_image in (("s2i", synth.CAPTIONS), ("i2s", 1)):
        hits = (outcome.queries[f"{direction}_rank"] == 1).mean()
        chance = outcome.test[f"{direction}_chance"] / 100
        assert len(outcome.queries[f"{direction}_rank"]) == len(source.test) * per_image
        assert abs(hits - chance) <= 3 * np.sqrt(chance * (1 - chance) / classes)
