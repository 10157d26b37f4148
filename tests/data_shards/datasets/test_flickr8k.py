"""Flickr8k: official splits, an image a class, speakers and texts; every kind of bad list."""

import pytest

from data_shards.datasets.base import Take
from data_shards.datasets.flickr8k import read
from data_shards.errors import DataError, UsageError
from tests.data_shards.scenes import change, flickr_folder, image_id, jpg, text, wav, write


@pytest.fixture
def root(tmp_path):
    return flickr_folder(tmp_path / "flickr", captions=2)


def ids(part):
    return [image.image_id for image in part]


def test_the_splits_are_the_official_ones(root):
    source = read(root)
    assert ids(source.train) == [image_id(image) for image in range(4)]
    assert ids(source.val) == [image_id(4), image_id(5)]
    assert ids(source.test) == [image_id(6), image_id(7)]
    assert source.skipped == {}
    assert str(root) not in source.description


def test_an_image_is_a_class_with_its_captions_and_speakers(root):
    source = read(root)
    first = source.val[0]
    assert (first.class_id, first.class_name) == (5, image_id(4))
    assert first.captions == (text(4, 0), text(4, 1))
    assert first.open().size == (50, 40)
    assert source.takes[image_id(4)] == {
        0: Take(root / "wavs" / wav(4, 0), "speaker 2"),
        1: Take(root / "wavs" / wav(4, 1), "speaker 3"),
    }


def test_without_texts_captions_are_empty(root):
    said = read(root).description
    (root / "Flickr8k.token.txt").unlink()
    assert read(root).test[0].captions == ("", "")
    assert read(root).description != said


def test_what_is_absent_is_counted_and_changes_no_class(root):
    (root / "Flicker8k_Dataset" / jpg(0)).unlink()
    (root / "Flicker8k_Dataset" / jpg(3)).unlink()
    change(root, "wav2capt.txt", f"{wav(6, 0)} {jpg(6)} #0\n{wav(6, 1)} {jpg(6)} #1\n", "")
    (root / "Flicker8k_Dataset" / "1_extra.jpg").write_bytes(b"")
    source = read(root)
    assert source.skipped == {
        "images listed but absent": 2,
        "images in no split": 1,
        "images without a recording": 1,
    }
    assert [image.class_id for image in source.images] == [2, 3, 5, 6, 8]
    assert set(source.takes) == set(ids(source.images))


def test_a_caption_number_may_be_left_out(root):
    change(root, "wav2capt.txt", f"{wav(6, 0)} {jpg(6)} #0\n", "")
    source = read(root)
    assert source.test[0].captions == (text(6, 1),)
    assert source.takes[image_id(6)][0].path.name == wav(6, 1)


@pytest.mark.parametrize(
    ("name", "old", "new", "message"),
    [
        ("wav2capt.txt", f"{jpg(2)} #1", f"{jpg(2)} 1", "wav2capt.txt .*line 6 is"),
        ("wav2capt.txt", f"{wav(2, 1)} ", f"{wav(2, 0)} ", f"must name {wav(2, 0)} once"),
        ("wav2capt.txt", f"{jpg(2)} #1", f"{jpg(2)} #0", f"one recording, but {jpg(2)} #0 has"),
        ("wav2capt.txt", f"{wav(2, 1)} ", f"../{wav(2, 1)} ", "wav2capt.txt .*line 6 is"),
        ("wav2spk.txt", f"{wav(2, 1)} 1\n", "", f"wav2spk.txt must .* has not {wav(2, 1)}"),
        ("wav2spk.txt", f"{wav(2, 1)} 1", f"{wav(2, 1)} Ann", "wav2spk.txt .*line 6 is"),
        ("wav2spk.txt", f"{wav(2, 1)} ", f"{wav(2, 0)} ", f"must name {wav(2, 0)} once"),
        ("Flickr_8k.devImages.txt", jpg(4), jpg(1), "trainImages.txt and in Flickr_8k.dev"),
        ("Flickr_8k.devImages.txt", jpg(4), jpg(5), f"must name {jpg(5)} once"),
        ("Flickr_8k.devImages.txt", jpg(4), image_id(4), "devImages.txt .*line 1 is"),
        ("Flickr_8k.devImages.txt", jpg(4), "9_ff.jpg", "9_ff.jpg of Flickr_8k.dev.* in neither"),
        ("Flickr8k.token.txt", f"{jpg(2)}#1\t", f"{jpg(2)}#1 ", "token.txt .*line 6 is"),
        ("Flickr8k.token.txt", f"{jpg(2)}#1", f"{jpg(2)}.1#1", f"has not {jpg(2)}#1"),
    ],
)  # fmt: skip
def test_lists_that_disagree_or_are_malformed(root, name, old, new, message):
    change(root, name, old, new)
    with pytest.raises(DataError, match=message):
        read(root)


@pytest.mark.parametrize(
    "name",
    ["Flicker8k_Dataset", "wavs", "wav2capt.txt", "wav2spk.txt", "Flickr_8k.trainImages.txt",
     "Flickr_8k.devImages.txt", "Flickr_8k.testImages.txt"],
)  # fmt: skip
def test_missing_files(root, name):
    (root / name).rename(root / "away")
    with pytest.raises(DataError, match=f"must hold {name}/?, but .*{name} is missing"):
        read(root)


def test_an_empty_list(root):
    write(root, "Flickr_8k.devImages.txt", [])
    with pytest.raises(DataError, match="Flickr_8k.devImages.txt .* but has none"):
        read(root)


def test_no_folder(tmp_path):
    with pytest.raises(UsageError, match="nowhere is none"):
        read(tmp_path / "nowhere")
