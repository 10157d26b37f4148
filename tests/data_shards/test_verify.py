"""Each fault is caused in a packed folder; verify must name it."""

import dataclasses
import io
import json
import shutil
import tarfile

import pytest

from data_shards import files, manifest
from data_shards.datasets.oxford102 import read
from data_shards.pack import pack
from data_shards.verify import verify
from tests.data_shards.flowers import oxford_folder


@pytest.fixture(scope="module")
def packed(tmp_path_factory):
    folder = tmp_path_factory.mktemp("verify")
    source = read(oxford_folder(folder / "flowers", classes=22, images=2), classes=(18, 22))
    pack(source, folder / "out", captions=2, voices=2, workers=1, samples_per_shard=4, show=False)
    return folder / "out"


@pytest.fixture
def out(packed, tmp_path):
    shutil.copytree(packed, tmp_path / "out")
    return tmp_path / "out"


def found(out):
    return verify(manifest.load(out))


def rewrite(path, change):
    """Change a shard's members: `change` gets and returns {name: bytes}."""
    with tarfile.open(path) as tar:
        members = change({info.name: tar.extractfile(info).read() for info in tar})
    with tarfile.open(path, "w") as tar:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))


def first(path, suffix):
    with tarfile.open(path) as tar:
        return next(name for name in tar.getnames() if name.endswith(suffix))


def edit_manifest(out, change):
    data = manifest.load(out)
    files.write_atomic(out / manifest.NAME, change(data.manifest).to_json().encode())


def test_nothing_wrong(packed):
    assert found(packed) == []
    assert verify(manifest.load(packed), workers=2) == []


def test_missing_shard(out):
    (out / "test-00001.tar").unlink()
    assert "test-00001.tar is missing" in found(out)


def test_shard_cut_short(out):
    path = out / "test-00000.tar"
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    problems = found(out)
    assert any(p.startswith("test-00000.tar: SHA-256 must be") for p in problems)
    assert any(p.startswith("test-00000.tar is cut short") for p in problems)
    assert all("train" not in p for p in problems)


def test_flipped_byte_names_the_member(out):
    path, member = out / "train-00000.tar", first(out / "train-00000.tar", ".1.flac")
    with tarfile.open(path) as tar:
        info = tar.getmember(member)
        position = info.offset_data + info.size // 2
    content = bytearray(path.read_bytes())
    content[position] ^= 0xFF
    path.write_bytes(content)
    problems = found(out)
    assert any("train-00000.tar: SHA-256" in p for p in problems)
    assert any(f"train-00000.tar: {member}" in p for p in problems)


def test_flipped_byte_in_a_header(out):
    path = out / "test-00000.tar"
    content = bytearray(path.read_bytes())
    content[3] ^= 0xFF
    path.write_bytes(content)
    assert any("test-00000.tar" in p and "SHA-256" not in p for p in found(out))


def test_half_a_photograph(out):
    path, member = out / "test-00000.tar", first(out / "test-00000.tar", ".jpg")
    rewrite(path, lambda m: m | {member: m[member][: len(m[member]) // 2]})
    assert any(f"test-00000.tar: {member} does not decode" in p for p in found(out))


def test_missing_member(out):
    path, member = out / "test-00000.tar", first(out / "test-00000.tar", ".0.flac")
    rewrite(path, lambda m: {name: value for name, value in m.items() if name != member})
    assert f"test-00000.tar: {member} is missing" in found(out)


def test_a_spoken_caption_without_text(out):
    path, member = out / "test-00000.tar", first(out / "test-00000.tar", ".json")

    def emptied(content):
        text = json.loads(content)
        text["captions"][0]["text"] = " "
        return json.dumps(text).encode()

    rewrite(path, lambda m: m | {member: emptied(m[member])})
    assert f"test-00000.tar: {member}: has an empty caption" in found(out)


def test_wrong_class_and_text(out):
    path, member = out / "test-00000.tar", first(out / "test-00000.tar", ".json")
    rewrite(path, lambda m: m | {member: m[member].replace(b'"class_id": ', b'"class_id": 9')})
    problems = found(out)
    assert any(f"test-00000.tar: {member}: class 9" in p for p in problems)
    assert any(
        "must have 2 images and 4 captions, but the shards have 1 and 2" in p for p in problems
    )
    rewrite(path, lambda m: m | {member: b"{"})
    assert any(f"test-00000.tar: {member} is missing or damaged" in p for p in found(out))


def test_stray_shard(out):
    shutil.copy(out / "test-00000.tar", out / "test-00009.tar")
    assert found(out) == ["test-00009.tar is not in the manifest"]


def test_class_and_image_in_two_splits(out):
    def overlap(made):
        return dataclasses.replace(made, splits=made.splits | {"val": made.splits["test"]})

    edit_manifest(out, overlap)
    problems = found(out)
    assert any("class 18 must be in one split once, but is in test and val" in p for p in problems)


def test_image_in_two_shards(out):
    key = first(out / "test-00000.tar", ".jpg").removesuffix(".jpg")
    other = first(out / "test-00001.tar", ".jpg").removesuffix(".jpg")
    rewrite(
        out / "test-00001.tar",
        lambda m: {name.replace(other, key): value for name, value in m.items()},
    )
    problems = found(out)
    assert any(f"image {key} must be in one shard once" in p for p in problems)
    assert any("image_id must be" in p for p in problems)


def test_wrong_counts(out):
    def change(made):
        test = made.splits["test"]
        shard = dataclasses.replace(test.shards[0], samples=99, captions=98)
        changed = dataclasses.replace(test, shards=[shard, *test.shards[1:]])
        return dataclasses.replace(made, splits=made.splits | {"test": changed})

    edit_manifest(out, change)
    assert "test-00000.tar: samples must be 99, but are 4" in found(out)
    assert "test-00000.tar: captions must be 98, but are 8" in found(out)
