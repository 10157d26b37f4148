"""Single samples: the right ones, from as few shards as hold them."""

from pathlib import Path

import pytest

from data_shards import samples
from tests import made


@pytest.fixture(scope="module")
def packed(tmp_path_factory):
    """A test split of 24 samples in shards of 10, 10 and 4."""
    return made.make(tmp_path_factory.mktemp("data") / "tones")


def test_rows_count_through_the_shards(packed):
    found = samples.at_rows(packed, "test", [0, 9, 10, 23])
    ids = {row: raw.image_id for row, raw in found.items()}
    # made.py packs image after image, in each all four classes
    assert ids == {0: "test_14_00", 9: "test_15_02", 10: "test_16_02", 23: "test_17_05"}
    assert found[23].class_id == 17
    assert found[23].texts == ["tone 17"] * 3


def test_only_shards_that_are_needed_are_read(packed, tmp_path):
    folder = tmp_path / "tones"
    own = made.make(folder)
    for name in ("test-00000.tar", "test-00002.tar"):
        (Path(own.folder) / name).unlink()
    assert set(samples.at_rows(own, "test", [12, 15])) == {12, 15}


def test_an_unreadable_sample_is_missing(tmp_path):
    own = made.make(tmp_path / "tones")
    broken = made.replace_member(own, "test-00000.tar", "test_15_00.json", b"{}")
    assert set(samples.at_rows(broken, "test", [0, 1, 2])) == {0, 2}


def test_one_sample_a_class_the_same_for_a_seed(packed):
    found = samples.of_classes(packed, "test", 3, seed=0)
    assert len({raw.class_id for raw in found}) == 3
    again = samples.of_classes(packed, "test", 3, seed=0)
    assert [raw.image_id for raw in again] == [raw.image_id for raw in found]
    others = [samples.of_classes(packed, "test", 3, seed=seed) for seed in range(1, 6)]
    assert any(
        [raw.image_id for raw in other] != [raw.image_id for raw in found] for other in others
    )
    assert len(samples.of_classes(packed, "test", 9, seed=0)) == 4


def test_class_names(packed):
    assert samples.class_names(packed, "test") == {c: f"class {c}" for c in range(14, 18)}
