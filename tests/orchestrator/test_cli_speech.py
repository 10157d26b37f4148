"""`data pack --speech`, and what `--engine` may be, as a user types it."""

import re
import shutil
from pathlib import Path

import pytest
import soundfile

from data_shards import manifest, speech
from data_shards.errors import UsageError
from orchestrator.cli import cli
from tests.data_shards.flowers import oxford_folder
from tests.data_shards.test_recordings import record
from tests.deploy.deployed import OURS, parse
from tests.orchestrator.command import run

PACK = ["data", "pack", "oxford102", "--root", "flowers", "--out", "out", "--workers", "1"]

PAGE = (Path(__file__).parent.parent.parent / "docs" / "voices.md").read_text()


@pytest.fixture
def folder(tmp_path):
    """One training class, 20 test classes, two captions an image, all recorded."""
    oxford_folder(tmp_path / "flowers", classes=21, images=1, captions=2)
    for image in range(1, 22):
        for number in (1, 2):
            record(tmp_path / "spoken", f"image_{image:05}", number, rate=8_000)
    return tmp_path


def test_recordings_are_packed_and_verified(folder):
    shutil.rmtree(folder / "spoken" / "image_00009")
    packed = run(*PACK, "--speech", "spoken", "--captions", "1", folder=folder)
    assert (packed.returncode, packed.stdout[:10]) == (0, "Packed as "), packed.stderr
    assert "Left out: 1 images without a recording." in packed.stderr
    assert manifest.load(folder / "out").manifest.speech["files"] == 20
    checked = run("data", "verify", "out", folder=folder)
    assert checked.returncode == 0
    assert checked.stdout.startswith("ok: ")


def test_what_is_missing_is_one_line(folder):
    (folder / "spoken" / "image_00009" / "2.wav").unlink()
    ended = run(*PACK, "--speech", "spoken", folder=folder)
    assert ended.returncode == 1
    (line,) = ended.stderr.splitlines()
    assert line.startswith("error: every caption must have a recording")
    assert "1 of 42 have none, the first is image_00009/2" in line
    soundfile.write(folder / "spoken" / "image_00009" / "2.wav", [0.0] * 800, 8_000)
    ended = run(*PACK, "--speech", "spoken", folder=folder)
    assert ended.returncode == 1
    assert "image_00009/2.wav is silent" in ended.stderr.splitlines()[-1]


@pytest.mark.parametrize("more", [["--engine", "espeak"], ["--voices", "4"], ["--voices", "0"]])
def test_recordings_or_an_engine(more):
    with pytest.raises(UsageError, match="leave out --engine and --voices"):
        cli.main([*PACK, "--speech", "spoken", *more], standalone_mode=False)


@pytest.mark.parametrize("command", ["pack", "synth"])
def test_help_lists_every_engine(command, capsys):
    cli.main(["data", command, "--help"], standalone_mode=False)
    told = " ".join(capsys.readouterr().out.split())
    assert f"{', '.join(speech.names()[:-1])} or {speech.names()[-1]}" in told


@pytest.mark.parametrize("line", re.findall(rf"^.*({OURS}.+)$", PAGE, re.MULTILINE))
def test_every_command_of_the_page_parses(line):
    values = parse(line).params
    assert values.get("engine") in (None, *speech.names())


def test_the_page_tells_of_every_engine():
    told = re.findall(r"^\| `(\w+)`", PAGE, re.MULTILINE)
    assert sorted(told) == speech.names()
