import itertools
import re
import shutil

import pytest

from data_shards import datasets, manifest
from data_shards.datasets.own import read
from data_shards.errors import DataError, UsageError
from data_shards.pack import pack
from data_shards.verify import verify
from tests.data_shards.own_folder import own_folder, record, write_captions


@pytest.fixture
def root(tmp_path):
    return own_folder(tmp_path / "mine", classes=6, images=2)


def classes(part):
    return {image.class_name for image in part}


def test_found_by_name():
    assert datasets.reader("own") is read


def test_images_lie_in_a_folder_a_class_and_captions_beside(root):
    source = read(root)
    assert len(source.images) == 12
    assert str(root) not in source.description
    first = min(source.images, key=lambda image: image.image_id)
    assert (first.class_id, first.class_name) == (1, "kind 00")
    assert first.captions == ("a red thing", "number 0 is red")
    assert first.open().size == (64, 48)


def test_the_classes_are_disjoint_and_always_the_same(root):
    source = read(root)
    assert len(classes(source.test)) == 2
    assert classes(source.train).isdisjoint(classes(source.test))
    assert read(root) == source


def test_one_more_class_moves_at_most_one_other(tmp_path):
    drawn = [
        classes(read(own_folder(tmp_path / str(count), classes=count, images=1)).test)
        for count in range(10, 16)
    ]
    for before, after in itertools.pairwise(drawn):
        assert len(before - after) <= 1


def test_class_lists_where_present(root):
    names = [f"kind {number:02}" for number in range(6)]
    (root / "trainvalclasses.txt").write_text("\n".join(names[:3]))
    (root / "testclasses.txt").write_text("\n".join(names[3:]))
    assert classes(read(root).test) == set(names[3:])


def test_names_are_anyones_and_ids_are_safe_and_unique(root):
    folder = root / "images" / "kind 00"
    for name in ("Знак 1.PNG", "Знак 2.PNG", "x" * 100 + ".jpg"):
        shutil.copy(folder / "photo 0.jpg", folder / name)
        write_captions(root, "kind 00", name.rpartition(".")[0], ["a sign"])
    ids = [image.image_id for image in read(root).images]
    assert len(set(ids)) == len(ids) == 15
    assert all(re.fullmatch(r"[A-Za-z0-9_-]{1,80}", image_id) for image_id in ids)


def test_cuts(root):
    numbers = {image.class_id for image in read(root).test}
    few = read(root, classes=(1, max(numbers)), images_per_class=1)
    assert all(image.class_id <= max(numbers) for image in few.images)
    assert len(few.test) == len(numbers)


def test_recordings_take_the_place_of_an_engine(root, tmp_path):
    shutil.rmtree(root / "captions")
    for folder in sorted((root / "images").iterdir()):
        record(root, folder.name, "photo 0.wav")
        record(root, folder.name, "photo 0.2.flac")
    packed = pack(read(root), tmp_path / "out", captions=None, workers=1, show=False)
    assert verify(manifest.load(tmp_path / "out"), workers=1) == []
    assert packed.speech["engine"] == "recordings"
    assert packed.speech["files"] == 12
    assert packed.skipped == {"images without a recording": 6}


def test_recorded_captions_keep_their_texts(root):
    record(root, "kind 00", "photo 0.2.wav")
    source = read(root)
    image = next(image for image in source.images if "kind-00_photo-0" in image.image_id)
    assert image.captions == ("a red thing", "number 0 is red")
    assert list(source.takes[image.image_id]) == [1]


def _refused(root):
    with pytest.raises(DataError) as raised:
        read(root)
    assert "\n" not in str(raised.value)
    return str(raised.value)


def test_what_is_wrong_is_said_with_the_file(root):
    image = root / "images" / "kind 01" / "photo 1.jpg"
    text = root / "captions" / "kind 01" / "photo 1.txt"

    text.rename(root / "kept")
    assert f"{text} is missing" in _refused(root)
    (root / "kept").rename(text)

    stray = image.with_name("notes.docx")
    stray.write_text("")
    assert f"there is {stray}" in _refused(root)
    stray.unlink()

    twin = image.with_suffix(".png")
    shutil.copy(image, twin)
    assert f"{image} and {twin} share" in _refused(root)
    twin.unlink()

    (root / "images" / "kind 99").mkdir()
    assert f"{root / 'images' / 'kind 99'} has none" in _refused(root)


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (["photo 0.3.wav"], "photo 0.3.wav is of number 3"),
        (["photo 0.1001.wav"], "from 1 to 1000"),
        (["photo 0.wav", "photo 0.1.wav"], "a caption must have one recording"),
    ],
)
def test_recordings_that_are_no_captions_are_refused(root, names, said):
    for name in names:
        record(root, "kind 00", name)
    assert said in _refused(root)


def test_an_image_must_not_be_named_as_a_further_recording(root):
    record(root, "kind 00", "photo 0.2.wav")
    image = root / "images" / "kind 00" / "photo 0.2.jpg"
    shutil.copy(image.with_name("photo 0.jpg"), image)
    assert f"there is {image}: rename it" in _refused(root)


def test_a_folder_of_another_layout_is_refused(root, tmp_path):
    with pytest.raises(UsageError, match="is none"):
        read(tmp_path / "nowhere")
    shutil.rmtree(root / "captions")
    assert "captions/ or recordings/" in _refused(root)
    assert "has 3" in _refused(own_folder(tmp_path / "few", classes=3, images=1))
    shutil.rmtree(root / "images")
    assert "images/<class>/" in _refused(root)
