"""The built-in set: what is said is what is drawn, and nothing else tells the class."""

import math
from collections import Counter
from dataclasses import astuple

import numpy as np
import pytest

from data_shards import splits
from data_shards.datasets import synth
from data_shards.errors import UsageError


def _classes(images):
    return {image.class_id: image.flower for image in images}


def test_enough_classes_and_none_twice():
    source = synth.read()
    train, test = _classes(source.train), _classes(source.test)
    assert len(train) + len(test) >= 60
    assert len(test) >= 12
    assert not train.keys() & test.keys()
    assert len({*train.values(), *test.values()}) == len(train) + len(test)
    assert set(Counter(i.class_id for i in [*source.train, *source.test]).values()) == {10}
    assert len({i.image_id for i in [*source.train, *source.test]}) == 10 * (len(train) + len(test))


@pytest.mark.parametrize("counts", [(72, 20), (60, 20), (72, 12), (60, 12), (72, 24)])
@pytest.mark.parametrize("seed", range(4))
def test_a_test_class_is_new_in_its_combination_only(counts, seed):
    """Whichever classes validation holds out of the training classes."""
    source = synth.read(classes=counts[0], test_classes=counts[1], images_per_class=1, seed=seed)
    held = len({image.class_id for image in splits.hold_out(source.train, seed=seed)[1]})
    shown = Counter(value for image in source.train for value in astuple(image.flower))
    assert min(shown[value] for value in synth.VALUES) > held
    assert not set(_classes(source.test).values()) & set(_classes(source.train).values())


def test_the_seed_decides_everything():
    first, again, other = (synth.read(seed=seed) for seed in (0, 0, 1))
    assert (first.train, first.test) == (again.train, again.test)
    assert _classes(first.test) != _classes(other.test)
    pixels = [np.asarray(source.train[3].open()) for source in (first, again, other)]
    np.testing.assert_array_equal(pixels[0], pixels[1])
    assert not np.array_equal(pixels[0], pixels[2])


def test_a_caption_names_the_flowers_attributes_and_no_others():
    for image in [*synth.read().train, *synth.read().test]:
        for text in image.captions:
            words = text.replace(",", "").split()
            assert {word for word in words if word in synth.VALUES} == set(astuple(image.flower))
            assert words[words.index("centre") - 1] == image.flower.centre
            assert len(words) <= 9
        assert len(set(image.captions)) == len(image.captions) >= 2


def _pixel(pixels, scene, angle, reach, aside=0.0):
    """The colour at a place of a petal's own frame, in units of its length."""
    x = scene.x + scene.radius * (reach * math.cos(angle) - aside * math.sin(angle))
    y = scene.y + scene.radius * (reach * math.sin(angle) + aside * math.cos(angle))
    return pixels[round(y), round(x)]


def _nearest(colour, colours, brightness):
    def distance(name):
        return np.abs(colour - np.minimum(255, np.array(colours[name]) * brightness)).sum()

    return min(colours, key=distance)


def _periods(flags):
    """How often a ring repeats itself; a patch of background of the petals' colour drowns."""
    strength = np.abs(np.fft.rfft(flags.astype(float)))
    return 2 + int(strength[2:13].argmax())


def _seen(image):
    """The attributes of a drawing, read from its pixels."""
    scene = synth.nuisance(seed=image.seed, image_id=image.image_id)
    pixels = np.asarray(image.open()).astype(float)
    petal = _pixel(pixels, scene, scene.turn, 0.6)
    angles = np.linspace(0, 2 * math.pi, 720, endpoint=False)
    around = np.array([_pixel(pixels, scene, angle, 0.65) for angle in angles])
    count = _periods(np.abs(around - petal).max(axis=1) < 20)
    width = {4: 0.62, 8: 0.36}.get(count, 0.5)
    beside = _pixel(pixels, scene, scene.turn, 0.9, aside=0.17 * width)
    middle = _pixel(pixels, scene, 0.0, 0.0)
    return (
        _nearest(petal, synth.COLOURS, scene.brightness),
        _nearest(middle, synth.CENTRES, scene.brightness),
        "round" if np.abs(beside - petal).max() < 20 else "pointed",
        {number: name for name, number in synth.COUNTS.items()}.get(count, f"{count} petals"),
    )


def test_what_is_said_is_what_is_drawn():
    source = synth.read(images_per_class=2)
    images = [*source.train, *source.test]
    assert [_seen(image) for image in images] == [astuple(image.flower) for image in images]


def _hits(values, classes):
    """Held-out images that are nearest to the mean of their own class, by nuisance alone."""
    values = (values - values.mean(axis=0)) / values.std(axis=0)
    number = np.arange(len(classes))
    first = number % 2 == 0
    kinds = np.unique(classes)
    means = np.stack([values[first & (classes == kind)].mean(axis=0) for kind in kinds])
    distance = ((values[~first, None] - means[None]) ** 2).sum(axis=-1)
    return int((kinds[distance.argmin(axis=1)] == classes[~first]).sum()), int((~first).sum())


def _within_3_sd_of_chance(hits, trials, kinds):
    chance = trials / kinds
    return abs(hits - chance) <= 3 * math.sqrt(chance * (1 - 1 / kinds))


def _numbers(scene):
    turn = (math.cos(scene.turn), math.sin(scene.turn))
    rest = (scene.x, scene.y, scene.radius, scene.leaf_width, scene.brightness)
    return (*scene.background, *rest, *turn)


def _drawn(seed):
    """What is drawn for each image beside its class' attributes, and its class."""
    source = synth.read(images_per_class=40, seed=seed)
    images = [*source.train, *source.test]
    scenes = [synth.nuisance(seed=seed, image_id=image.image_id) for image in images]
    return np.array([_numbers(s) for s in scenes]), np.array([i.class_id for i in images])


@pytest.mark.parametrize("seed", range(3))
def test_background_place_size_turn_leaves_and_light_do_not_tell_the_class(seed):
    hits, trials = _hits(*_drawn(seed))
    assert _within_3_sd_of_chance(hits, trials, 72)


@pytest.mark.parametrize("seed", range(3))
def test_nothing_drawn_for_an_image_differs_between_classes(seed):
    """F of each number (variance of class means × images / variance within) is 1 ± √(2/71)."""
    values, classes = _drawn(seed)
    groups = np.stack([values[classes == kind] for kind in np.unique(classes)])
    f = 40 * groups.mean(axis=1).var(axis=0, ddof=1) / groups.var(axis=1, ddof=1).mean(axis=0)
    np.testing.assert_array_less(np.abs(f - 1), 4 * math.sqrt(2 / 71))  # of 30 such numbers


def test_the_corners_of_the_drawings_do_not_tell_the_class_but_their_middle_does():
    images = synth.read(images_per_class=8).test
    classes = np.array([image.class_id for image in images])
    pixels = np.stack([np.asarray(image.open()) for image in images]).astype(float)
    ends = (slice(0, 16), slice(-16, None))
    corners = [pixels[:, y, x].mean(axis=(1, 2)) for y in ends for x in ends]
    hits, trials = _hits(np.concatenate(corners, axis=1), classes)
    assert _within_3_sd_of_chance(hits, trials, 20)
    middle = pixels[:, 84:108, 84:108].mean(axis=(1, 2))
    hits, trials = _hits(middle, classes)
    assert not _within_3_sd_of_chance(hits, trials, 20)


@pytest.mark.parametrize(
    "wrong",
    [{"classes": 59}, {"classes": 73}, {"test_classes": 11}, {"test_classes": 25},
     {"images_per_class": 0}],
)  # fmt: skip
def test_numbers_out_of_range_are_refused(wrong):
    name, value = next(iter(wrong.items()))
    with pytest.raises(UsageError, match=f"{name} .*but got .*{value}"):
        synth.read(**wrong)
