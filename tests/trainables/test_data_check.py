"""Data that cannot serve an experiment is refused before anything runs."""

import pytest

from data_shards.errors import UsageError
from data_shards.manifest import ClassCount, Manifest, Shard, Split
from trainables.data_check import check_data, training_classes, training_splits
from trainables.experiment import Experiment


def _two(number: int, images: int) -> list[ClassCount]:
    """Two classes of a split."""
    return [ClassCount(2 * number + i, "a", images // 2, images // 2) for i in range(2)]


def _manifest(*, voices: int = 0, captions: int = 1, **images: int) -> Manifest:
    """`captions` of each image."""
    splits = {
        name: Split(_two(n, count), [Shard(f"{name}.tar", count, count * captions, "0" * 64)])
        for n, (name, count) in enumerate(images.items())
    }
    speech = {"voices": [f"voice {number}" for number in range(voices)]} if voices else {}
    return Manifest(dataset="d", source="", options={}, speech=speech, splits=splits)


def test_selection_val_needs_a_val_split():
    with pytest.raises(UsageError, match="selection=last"):
        check_data(Experiment(), _manifest(train=100, test=10))
    check_data(Experiment(selection="last"), _manifest(train=100, test=10))


def test_batch_must_fit_the_training_images():
    with pytest.raises(UsageError, match="training images, 63, but got 64"):
        check_data(Experiment(), _manifest(train=63, val=9, test=10))
    check_data(Experiment(selection="last"), _manifest(train=63, val=9, test=10))


def test_selection_last_trains_on_the_held_out_classes_too():
    manifest = _manifest(train=9, val=9, test=9)
    assert training_splits(Experiment(), manifest) == ["train"]
    assert training_splits(Experiment(selection="last"), manifest) == ["train", "val"]


@pytest.mark.parametrize("arm", ["one", "many"])
@pytest.mark.parametrize("voices", [0, 1, 2])
def test_arms_of_voices_need_three_voices(arm, voices):
    manifest = _manifest(train=64, val=4, test=4, voices=voices, captions=4)
    with pytest.raises(UsageError, match=f"3 voices, .* but the data has {voices}: ") as caught:
        check_data(Experiment(training_voices=arm), manifest)
    assert str(caught.value).startswith(f"training_voices={arm} needs")
    assert "--captions V --voices V" in str(caught.value)
    assert "\n" not in str(caught.value)
    check_data(Experiment(), manifest)


def test_arms_of_voices_need_more_than_one_caption_an_image():
    asked = Experiment(training_voices="many")
    with pytest.raises(UsageError, match="in several voices, but each has one caption: pack it"):
        check_data(asked, _manifest(train=64, val=4, test=4, voices=4))
    check_data(asked, _manifest(train=64, val=4, test=4, voices=3, captions=2))


def test_classes_to_train_on_are_official_numbers_in_order():
    manifest = _manifest(train=100, val=10, test=10)
    assert training_classes(Experiment(), manifest) == [0, 1]
    assert training_classes(Experiment(selection="last"), manifest) == [0, 1, 2, 3]
