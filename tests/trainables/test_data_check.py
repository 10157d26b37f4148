"""Data that cannot serve an experiment is refused before anything runs."""

import pytest

from data_shards.errors import UsageError
from data_shards.manifest import ClassCount, Manifest, Shard, Split
from trainables.data_check import check_data, training_splits
from trainables.experiment import Experiment


def _manifest(**images: int) -> Manifest:
    splits = {
        name: Split([ClassCount(n, "a", count, count)], [Shard(f"{name}.tar", count, count, "")])
        for n, (name, count) in enumerate(images.items())
    }
    return Manifest(dataset="d", source="", options={}, speech={}, splits=splits)


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
