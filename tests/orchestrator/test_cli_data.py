"""`data pack cub200 | flickr8k` as a user types it: packed, verified, told; what is refused."""

import io
import json
import shutil
import tarfile

import pytest
import soundfile
from PIL import Image

from data_shards import manifest
from data_shards.errors import DataError, UsageError
from orchestrator.cli import cli
from tests.data_shards import birds, scenes
from tests.orchestrator.command import run


def main(*arguments):
    """The command in this process."""
    cli.main([*map(str, arguments)], standalone_mode=False)


def members(out):
    """All members of all shards."""
    found = {}
    for path in out.glob("*.tar"):
        with tarfile.open(path) as tar:
            found |= {member.name: tar.extractfile(member).read() for member in tar}
    return found


@pytest.fixture
def cub(tmp_path):
    return birds.cub_folder(tmp_path / "CUB_200_2011", images=1)


@pytest.fixture
def flickr(tmp_path):
    return scenes.flickr_folder(tmp_path / "flickr", captions=1)


def test_birds_are_spoken_cropped_and_verified(cub, tmp_path, capsys):
    shutil.move(cub / "text_c10", tmp_path / "reed")
    (cub / "images" / birds.photographs(birds.TEST[1], 1)[0]).unlink()
    out = tmp_path / "out"
    command = ["data", "pack", "cub200", "--root", cub, "--text", tmp_path / "reed", "--out", out]
    main(*command, "--workers", 1, "--voices", 2)
    told = capsys.readouterr()
    assert told.out.startswith("Packed as ")
    assert "Left out: 1 images listed but absent." in told.err
    main("data", "verify", out, "--workers", 1)
    assert "test 1 images, train 2 images." in capsys.readouterr().out
    main("data", "info", out, "--json")
    rows = json.loads(capsys.readouterr().out)["splits"]
    assert [(row["split"], row["captions"]) for row in rows][:2] == [("train", 4), ("test", 2)]
    inside = members(out)
    key = "Black_footed_Albatross_0001"
    assert Image.open(io.BytesIO(inside[f"{key}.jpg"])).size == (30, 29)
    assert json.loads(inside[f"{key}.json"])["box"] == [10.0, 8.0, 20.0, 12.0]
    samples, rate = soundfile.read(io.BytesIO(inside[f"{key}.0.flac"]))
    assert rate == 16_000
    assert samples.any()


def test_a_box_outside_its_image_is_one_line(cub, tmp_path):
    birds.change(cub, "bounding_boxes.txt", "\n3 10.0 8.0", "\n3 60.0 8.0")
    command = ["data", "pack", "cub200", "--root", str(cub), "--out", "out", "--workers", "1"]
    ended = run(*command, folder=tmp_path)
    assert ended.returncode == 1
    assert ended.stderr.splitlines()[-1] == (
        "error: a bounding box must lie inside its image, but Sooty_Albatross_0001 is 64×48 and "
        "its box is x=60.0 y=8.0 w=20.0 h=12.0."
    )
    assert "Traceback" not in ended.stderr


def test_recordings_of_flickr_are_packed_verified_and_told(flickr, tmp_path, capsys):
    (flickr / "wavs" / scenes.wav(1, 0)).write_bytes(b"")
    out, reason = tmp_path / "out", "recordings that are empty, silent or damaged"
    main("data", "pack", "flickr8k", "--root", flickr, "--out", out, "--workers", 1)
    told = capsys.readouterr().err
    assert f"Left out, {reason}: {scenes.wav(1, 0)}." in told
    assert f"Left out: 1 {reason}." in told
    assert "Left out: 1 images without a recording." in told
    splits = manifest.load(out).manifest.splits
    assert {name: split.samples for name, split in splits.items()} == {
        "train": 3,
        "val": 2,
        "test": 2,
    }
    main("data", "verify", out, "--workers", 1)
    assert capsys.readouterr().out.startswith("ok: ")
    main("data", "info", out)
    told = capsys.readouterr().out
    assert "flickr8k" in told
    assert "speaker 2" in told


@pytest.mark.parametrize(
    ("option", "value"),
    [("text", "x"), ("classes", "1-2"), ("images-per-class", "1"), ("engine", "espeak"),
     ("voices", "4"), ("speech", "x")],
)  # fmt: skip
def test_flickr_takes_none_of_these(flickr, tmp_path, option, value):
    with pytest.raises(UsageError, match=rf"^flickr8k takes no --{option}: leave it out\.$"):
        main("data", "pack", "flickr8k", "--root", flickr, "--out", tmp_path / "o",
             f"--{option}", value)  # fmt: skip
    assert not (tmp_path / "o").exists()


def test_text_is_for_birds(tmp_path):
    with pytest.raises(UsageError, match="oxford102 takes no --text"):
        main("data", "pack", "oxford102", "--root", tmp_path, "--out", "o", "--text", tmp_path)


def test_birds_need_their_text(cub, tmp_path):
    (cub / "text_c10").rename(tmp_path / "text_c10")
    with pytest.raises(UsageError, match=r"no folder of a class: .*with --text DIR"):
        main("data", "pack", "cub200", "--root", cub, "--out", tmp_path / "o")


def test_recordings_of_birds(cub, tmp_path):
    """Birds have captions to speak, so that `--speech` is for them."""
    (tmp_path / "spoken").mkdir()
    with pytest.raises(DataError, match="8 of 8 have none, the first is Laysan_Albatross_0001/1"):
        main("data", "pack", "cub200", "--root", cub, "--out", tmp_path / "o",
             "--speech", tmp_path / "spoken")  # fmt: skip
