"""The built-in set: what it promises about its classes, captions and pictures."""

import itertools

import numpy as np
import pytest

from data_shards.datasets import synth
from data_shards.errors import UsageError

ATTRIBUTES = ("colour", "centre", "shape", "count")


@pytest.fixture(scope="module")
def source():
    return synth.read()


def _flowers(images):
    return {image.class_id: image.flower for image in images}


def test_sizes(source):
    train, test = _flowers(source.train), _flowers(source.test)
    assert len(train) + len(test) == 72 >= 60
    assert len(test) == 20 >= 12
    assert len(source.train) == 520


def test_classes_are_disjoint_new_combinations_of_seen_values(source):
    train, test = _flowers(source.train), _flowers(source.test)
    assert not set(train) & set(test)
    assert not set(train.values()) & set(test.values())
    for attribute in ATTRIBUTES:
        seen = {getattr(flower, attribute) for flower in train.values()}
        assert {getattr(flower, attribute) for flower in test.values()} <= seen


def test_every_caption_names_all_attributes_of_its_flower(source):
    for image in source.train + source.test:
        assert len(image.captions) == synth.CAPTIONS
        assert len(set(image.captions)) == synth.CAPTIONS
        for caption in image.captions:
            words = caption.replace(",", "").split()
            for attribute in ATTRIBUTES:
                assert getattr(image.flower, attribute) in words


def test_another_seed_gives_other_test_classes_and_scenes(source):
    other = synth.read(seed=1)
    assert set(_flowers(source.test).values()) != set(_flowers(other.test).values())
    assert source.test == synth.read().test


def _pixels(flower, image_id="flower_001_000", seed=0):
    return np.asarray(synth.draw(flower, seed=seed, image_id=image_id)).astype(int)


def test_drawing_is_deterministic_and_differs_between_images():
    flower = synth.ALL[0]
    np.testing.assert_array_equal(_pixels(flower), _pixels(flower))
    assert (_pixels(flower) != _pixels(flower, "flower_001_001")).mean() > 0.5


def test_every_attribute_shows_in_the_picture():
    """Two flowers in the same scene that differ in one attribute differ in many pixels."""
    for left, right in itertools.combinations(synth.ALL, 2):
        differing = [a for a in ATTRIBUTES if getattr(left, a) != getattr(right, a)]
        if len(differing) == 1 and "red" in (left.colour, right.colour):
            changed = (np.abs(_pixels(left) - _pixels(right)).sum(axis=2) > 60).mean()
            assert changed > 0.01, (left, right)


def test_the_scene_says_nothing_of_the_class(source):
    """Nearest class mean on the scene's numbers finds the class at chance, within 3 sd."""
    images = source.train
    scenes = np.array([_scene(image) for image in images])
    scenes = (scenes - scenes.mean(axis=0)) / scenes.std(axis=0)
    classes = np.array([image.class_id for image in images])
    half = np.array([int(image.image_id[-3:]) % 2 == 0 for image in images])
    known = sorted(set(classes))
    means = np.array([scenes[half & (classes == c)].mean(axis=0) for c in known])
    distance = ((scenes[~half, None] - means) ** 2).sum(axis=2)
    hits = (np.array(known)[distance.argmin(axis=1)] == classes[~half]).mean()
    chance, count = 1 / len(known), (~half).sum()
    assert abs(hits - chance) <= 3 * np.sqrt(chance * (1 - chance) / count)


def _scene(image):
    scene = synth.nuisance(seed=image.seed, image_id=image.image_id)
    return [*scene.background, scene.x, scene.y, scene.radius, scene.leaf_width, scene.turn,
            scene.brightness]  # fmt: skip


@pytest.mark.parametrize(
    "wrong", [{"classes": 59}, {"classes": 73}, {"test_classes": 11}, {"images_per_class": 0}]
)
def test_numbers_out_of_range(wrong):
    with pytest.raises(UsageError, match="must be"):
        synth.read(**wrong)
