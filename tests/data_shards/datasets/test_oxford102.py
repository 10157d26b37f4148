import os
from pathlib import Path

import pytest

from data_shards import datasets
from data_shards.datasets.oxford102 import read
from data_shards.errors import DataError, UsageError
from tests.data_shards.flowers import caption_file, oxford_folder, write_captions, write_list

REAL = os.environ.get("VFSEL_OXFORD102")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return oxford_folder(tmp_path / "flowers", classes=22, images=2)


def test_found_by_name():
    assert "oxford102" in datasets.names()
    assert datasets.reader("oxford102") is read
    with pytest.raises(UsageError, match="oxford102"):
        datasets.reader("oxford103")


def test_without_lists_the_thesis_split_counts(root):
    source = read(root)
    assert {image.class_id for image in source.test} == set(range(1, 21))
    assert {image.class_id for image in source.train} == {21, 22}
    assert str(root) not in source.description


def test_images_are_numbered_from_one_in_label_order(root):
    first = read(root).test[0]
    assert (first.image_id, first.class_id, first.class_name) == ("image_00001", 1, "class_00001")
    assert first.captions == ("blue number 0", "pink number 1")
    assert first.open().size == (64, 48)


def test_lists_and_names_where_present(root):
    write_list(root, "trainvalclasses.txt", classes=[1, 2, *range(4, 23)])
    write_list(root, "testclasses.txt", classes=[3])
    (root / "cat_to_name.json").write_text('{"3": "canterbury bells"}')
    source = read(root)
    assert [image.class_id for image in source.train][:6] == [1, 1, 2, 2, 4, 4]
    assert {image.class_name for image in source.test} == {"canterbury bells"}


def test_classes_cut_both_lists(root):
    source = read(root, classes=(19, 21))
    assert {image.class_id for image in source.test} == {19, 20}
    assert {image.class_id for image in source.train} == {21}
    with pytest.raises(UsageError, match="1-5"):
        read(root, classes=(1, 5))


def test_fewer_images_are_among_more(tmp_path):
    root = oxford_folder(tmp_path / "flowers", classes=21, images=6)
    drawn = [{image.image_id for image in read(root, images_per_class=n).test} for n in (2, 4, 6)]
    assert [len(ids) for ids in drawn] == [40, 80, 120]
    assert drawn[0] < drawn[1] < drawn[2]
    with pytest.raises(UsageError, match="images_per_class must be >= 1"):
        read(root, images_per_class=0)


def test_blank_lines_are_skipped_and_counted(root):
    write_captions(root, 1, label=1, lines=["", "a rose", "  "])
    source = read(root)
    assert source.test[0].captions == ("a rose",)
    assert source.skipped == {"blank caption lines": 2}


def test_an_image_without_captions_is_named(root):
    write_captions(root, 2, label=2, lines=["", "  "])
    with pytest.raises(DataError, match="image_00002 has none"):
        read(root)
    caption_file(root, 2, label=2).unlink()
    with pytest.raises(DataError, match="image_00002 has none"):
        read(root)


def test_a_missing_photograph_is_named(root):
    (root / "jpg" / "image_00003.jpg").unlink()
    with pytest.raises(DataError, match="image_00003"):
        read(root)


def test_class_in_both_lists(root):
    write_list(root, "trainvalclasses.txt", classes=[1, 2, 3])
    write_list(root, "testclasses.txt", classes=[3, 4])
    with pytest.raises(DataError, match=r"disjoint.* 3\.$"):
        read(root)


def test_bad_lists(root):
    write_list(root, "trainvalclasses.txt", classes=[1])
    with pytest.raises(DataError, match="testclasses.txt is missing"):
        read(root)
    (root / "testclasses.txt").write_text("rose\n")
    with pytest.raises(DataError, match="'rose'"):
        read(root)


def test_missing_and_empty_folder(tmp_path):
    with pytest.raises(UsageError, match="nowhere is none"):
        read(tmp_path / "nowhere")
    with pytest.raises(DataError, match="jpg is missing"):
        read(tmp_path)


def test_labels_that_are_no_matrix(root):
    (root / "imagelabels.mat").write_bytes(b"not a MATLAB file")
    with pytest.raises(DataError, match="imagelabels.mat"):
        read(root)


@pytest.mark.skipif(REAL is None, reason="VFSEL_OXFORD102 is not set")
def test_real_data_has_the_counts_of_the_thesis():
    source = read(Path(REAL or ""))
    assert (len(source.train), len(source.test)) == (7034, 1155)
    assert {image.class_id for image in source.test} == set(range(1, 21))
    assert len({image.class_id for image in source.train}) == 82
    assert sum(len(image.captions) for image in source.train + source.test) == 45_038
