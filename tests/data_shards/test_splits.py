from dataclasses import dataclass

import pytest
from PIL import Image

from data_shards.datasets.base import Source, SourceImage
from data_shards.errors import DataError
from data_shards.splits import hold_out, splits


@dataclass(frozen=True, kw_only=True)
class Nothing(SourceImage):
    def open(self) -> Image.Image:
        raise NotImplementedError


def images(classes):
    return [
        Nothing(image_id=f"i{number}-{c}", class_id=c, class_name="", captions=("x",))
        for c in classes
        for number in range(2)
    ]


def ids(part):
    return {image.class_id for image in part}


@pytest.mark.parametrize(
    ("classes", "held"), [(9, 0), (10, 5), (54, 5), (55, 6), (82, 8), (85, 9), (150, 15)]
)
def test_a_tenth_of_the_classes_at_least_five(classes, held):
    train, val = hold_out(images(range(classes)), seed=0)
    assert len(ids(val)) == held
    assert ids(train) | ids(val) == set(range(classes))
    assert not ids(train) & ids(val)
    assert len(train) + len(val) == 2 * classes


def test_the_draw_follows_seed_and_class_ids_alone():
    given = images(range(40))
    assert ids(hold_out(given, seed=1)[1]) == ids(hold_out(given[::-1], seed=1)[1])
    assert len({frozenset(ids(hold_out(given, seed=seed)[1])) for seed in range(5)}) > 1


def source(train, *, val=None, test=()):
    val = None if val is None else images(val)
    return Source(dataset="d", description="", train=images(train), val=val, test=images(test))


def test_the_official_validation_split_counts_where_there_is_one():
    parts = splits(source(range(40), val=[50, 51], test=[60]), seed=0)
    assert {name: ids(part) for name, part in parts.items()} == {
        "train": set(range(40)),
        "val": {50, 51},
        "test": {60},
    }


def test_without_one_classes_are_held_out():
    held = hold_out(images(range(40)), seed=3)
    parts = splits(source(range(40), test=[60]), seed=3)
    assert (parts["train"], parts["val"]) == held


def test_no_empty_split():
    assert list(splits(source(range(9)), seed=0)) == ["train"]
    assert list(splits(source(range(40), val=[], test=[60]), seed=0)) == ["train", "test"]


def test_an_image_needs_a_plain_id_and_a_caption():
    with pytest.raises(DataError, match="must match"):
        Nothing(image_id="a.b", class_id=1, class_name="", captions=("x",))
    with pytest.raises(DataError, match="i1 must have at least one caption"):
        Nothing(image_id="i1", class_id=1, class_name="", captions=())
