"""CUB-200-2011: what the official lists say is what is read; the crop; every kind of bad list."""

import shutil
from importlib import resources
from pathlib import Path

import numpy as np
import pytest

from data_shards import datasets
from data_shards.datasets.cub200 import read, square
from data_shards.errors import DataError, UsageError
from tests.data_shards.birds import (
    BOX,
    TEST,
    TRAIN,
    caption_file,
    change,
    cub_folder,
    photographs,
    pixels,
    write_captions,
)

FIRST = photographs(TEST[0], 1)[0]


@pytest.fixture
def root(tmp_path):
    return cub_folder(tmp_path / "CUB_200_2011")


def names(part):
    return {image.class_name for image in part}


def test_found_by_name():
    assert {"cub200", "flickr8k", "own", "oxford102", "synth"} == set(datasets.names())
    assert datasets.reader("cub200") is read


def test_without_lists_the_thesis_split_counts(root):
    source = read(root)
    assert (names(source.train), names(source.test)) == (set(TRAIN), set(TEST))
    assert (len(source.train), len(source.test), source.skipped) == (4, 4, {})
    assert "thesis' split" in source.description
    assert str(root) not in source.description


def test_the_thesis_has_50_test_classes():
    listed = resources.files(datasets).joinpath("cub_test_classes.txt").read_text().split()
    assert len(set(listed)) == len(listed) == 50
    assert {int(name[:3]) for name in listed} <= set(range(1, 201))


def test_an_image(root):
    first = read(root).test[0]
    assert (first.image_id, first.class_id) == ("Black_footed_Albatross_0001", 1)
    assert first.class_name == "001.Black_footed_Albatross"
    assert first.captions == ("a red bird", "a blue bird")
    assert first.notes() == {"box": [10.0, 8.0, 20.0, 12.0]}


@pytest.mark.parametrize(
    ("box", "kept"),
    [
        ((20.0, 18.0, 12.0, 8.0), (17, 13, 35, 31)),  # half 9 around (26, 22)
        (BOX, (5, 0, 35, 29)),  # half 15 around (20, 14): clipped above
        ((0.0, 0.0, 64.0, 48.0), (0, 0, 64, 48)),  # half 48: all of it
        ((50.0, 30.0, 10.0, 18.0), (42, 26, 64, 48)),  # half 13 around (55, 39)
    ],
)
def test_the_square_worked_by_hand(box, kept):
    assert square(box, size=(64, 48)) == kept


def test_what_is_opened_is_the_square(root):
    opened = np.asarray(read(root).test[0].open()).astype(int)
    assert opened.shape == (29, 30, 3)
    assert np.abs(opened - pixels()[0:29, 5:35].astype(int)).max() < 12  # JPEG


@pytest.mark.parametrize("box", ["50.0 8.0 20.0 12.0", "10.0 40.0 5.0 12.0", "-3.0 8.0 20.0 12.0"])
def test_a_box_outside_its_image(root, box):
    change(root, "bounding_boxes.txt", "\n3 10.0 8.0 20.0 12.0", f"\n3 {box}")
    (image,) = (i for i in read(root).train if i.image_id == "Laysan_Albatross_0001")
    with pytest.raises(DataError, match=r"Laysan_Albatross_0001 is 64×48 and its box is x="):
        image.open()


def test_a_box_may_exceed_its_image_by_a_rounded_pixel(root):
    change(root, "bounding_boxes.txt", "\n3 10.0 8.0 20.0 12.0", "\n3 45.0 8.0 20.0 12.0")
    (image,) = (i for i in read(root).train if i.image_id == "Laysan_Albatross_0001")
    assert image.open().size == (24, 29)


@pytest.mark.parametrize("text", ["text_c10", ""])
def test_captions_elsewhere(root, tmp_path, text):
    shutil.move(root / "text_c10", tmp_path / "reed" / "text_c10")
    with pytest.raises(UsageError, match=r"has no folder of a class: .*--text DIR"):
        read(root)
    with pytest.raises(UsageError, match=r"nowhere has no folder of a class"):
        read(root, text=tmp_path / "nowhere")
    assert read(root, text=tmp_path / "reed" / text).test[0].captions[0] == "a red bird"


@pytest.mark.parametrize("text", ["text_c10", ""])
def test_class_lists_beside_the_captions(root, text):
    trained = [TEST[0], *TRAIN]
    (root / "trainvalclasses.txt").write_text("".join(f"{name}\n" for name in trained))
    (root / "testclasses.txt").write_text("".join(f"{name}\n" for name in TEST[1:]))
    source = read(root, text=root / text)
    assert names(source.train) == set(trained)
    assert names(source.test) == set(TEST[1:])
    assert "its class lists" in source.description


def test_class_lists_are_found_from_within_the_captions_folder(root, monkeypatch):
    (root / "trainvalclasses.txt").write_text("".join(f"{name}\n" for name in [TEST[0], *TRAIN]))
    (root / "testclasses.txt").write_text("".join(f"{name}\n" for name in TEST[1:]))
    monkeypatch.chdir(root / "text_c10")
    assert names(read(root, text=Path()).test) == set(TEST[1:])


@pytest.mark.parametrize("stray", ["images/stray.jpg", f"images/{TRAIN[0]}/More.JPG"])
def test_any_file_that_no_line_names_is_an_error(root, stray):
    (root / stray).write_bytes(b"")
    with pytest.raises(DataError, match=rf"images.txt must name every image, but .*{stray}"):
        read(root)


@pytest.mark.parametrize(
    "name", ["image_class_labels.txt 77", "bounding_boxes.txt 1.0 2.0 30.0 40.0"]
)
def test_a_line_of_an_image_that_images_txt_has_not(root, name):
    name, _, rest = name.partition(" ")
    with (root / name).open("a") as stream:
        stream.write(f"999 {rest}\n")
    with pytest.raises(DataError, match=f"images.txt must have .* has not 999 of {name}"):
        read(root)


@pytest.mark.parametrize("box", ["10.0 8.0 1.0 1.0", "0.0 0.0 0.5 0.5"])
def test_a_box_too_small_to_be_a_photograph(root, box):
    lines = (root / "bounding_boxes.txt").read_text().splitlines()
    (root / "bounding_boxes.txt").write_text("\n".join([f"1 {box}", *lines[1:]]) + "\n")
    with pytest.raises(DataError, match="bounding box must have a size, its longer side at least"):
        read(root)


def test_a_class_list_with_an_unknown_class(root):
    (root / "trainvalclasses.txt").write_text("201.Dodo\n")
    (root / "testclasses.txt").write_text(f"{TEST[1]}\n")
    with pytest.raises(DataError, match=r"trainvalclasses.txt .* 001.Black.*, but has '201.Dodo'"):
        read(root)


def test_cuts(tmp_path):
    root = cub_folder(tmp_path, images=4)
    source = read(root, classes=(1, 2), images_per_class=3)
    assert (names(source.train), names(source.test)) == ({TRAIN[0]}, {TEST[0]})
    assert (len(source.train), len(source.test)) == (3, 3)
    fewer = read(root, classes=(1, 2), images_per_class=1)
    assert {fewer.test[0].image_id} < {image.image_id for image in source.test}
    assert source.description != fewer.description
    with pytest.raises(UsageError, match="2-3 leaves none of 1-4"):
        read(root, classes=(2, 3))


def test_what_is_absent_is_counted_and_the_rest_is_read(root):
    shutil.rmtree(root / "images" / TRAIN[1])
    (root / "images" / FIRST).unlink()
    source = read(root)
    assert (len(source.train), len(source.test)) == (2, 3)
    assert source.skipped == {"images listed but absent": 3}
    assert read(root, classes=(1, 2)).skipped == {"images listed but absent": 1}
    shutil.rmtree(root / "images" / TRAIN[0])
    with pytest.raises(DataError, match="must be training and test images, but .* has 0 and 3"):
        read(root)


def test_a_photograph_in_no_list(root):
    shutil.copy(root / "images" / FIRST, root / "images" / TEST[0] / "Stray_0009.jpg")
    with pytest.raises(DataError, match=r"images.txt .*/Stray_0009.jpg is in no line"):
        read(root)
    (root / "images" / TEST[0] / "Stray_0009.jpg").rename(root / "images" / TEST[0] / "._x.jpg")
    assert len(read(root).test) == 4  # a hidden file of an archive


def test_missing_captions(root):
    write_captions(root, FIRST, lines=["", " "])
    with pytest.raises(DataError, match="Black_footed_Albatross_0001 has none: .* is blank"):
        read(root)
    caption_file(root, FIRST).unlink()
    with pytest.raises(DataError, match="Black_footed_Albatross_0001 has none: .* is missing"):
        read(root)


@pytest.mark.parametrize(
    ("name", "old", "new", "message"),
    [
        ("image_class_labels.txt", "3 2\n", "", r"labels.txt .* has not 3 \(002.Laysan"),
        ("bounding_boxes.txt", "3 10.0 8.0 20.0 12.0\n", "", r"boxes.txt .* not 3 \(002.Laysan"),
        ("image_class_labels.txt", "3 2\n", "3 9\n", r"classes.txt .* has not 9 \(of 002.Laysan"),
        ("image_class_labels.txt", "3 2\n", "3 1\n", r"its class' folder, but 002.Laysan.* 001"),
        ("image_class_labels.txt", "3 2\n", "3 two\n", "line 3 is '3 two'"),
        ("image_class_labels.txt", "3 2\n", "2 2\n", "must name 2 once, but line 3"),
        ("classes.txt", "2 002.Laysan_Albatross", "2", "line 2 is '2'"),
        ("images.txt", "3 002.Laysan_Albatross/", "3 ", "line 3 is '3 Laysan_Albatross_0001.jpg'"),
        ("bounding_boxes.txt", "\n3 10.0 8.0 20.0 12.0", "\n3 10 8 20", "line 3 is '3 10 8 20'"),
        ("bounding_boxes.txt", "\n3 10.0", "\n3 nan", "line 3 is '3 nan 8.0 20.0 12.0'"),
        ("bounding_boxes.txt", "\n3 10.0 8.0 20.0", "\n3 10.0 8.0 0.0", r"Laysan.* is 0.0×12.0"),
    ],
)
def test_lists_that_disagree_or_are_malformed(root, name, old, new, message):
    change(root, name, old, new)
    with pytest.raises(DataError, match=message):
        read(root)


@pytest.mark.parametrize(
    "name", ["images.txt", "image_class_labels.txt", "classes.txt", "bounding_boxes.txt", "images"]
)
def test_missing_files(root, name):
    (root / name).rename(root / "away")
    with pytest.raises(DataError, match=f"CUB-200-2011 folder must hold .*, but .*{name} is"):
        read(root)


def test_no_folder(tmp_path):
    with pytest.raises(UsageError, match="nowhere is none"):
        read(tmp_path / "nowhere")
