"""What happens to data on disk, and to those who read it, through the real command line."""

import io
import os
import signal
import tarfile
import time
from pathlib import Path

import pytest

from tests import made
from tests.faults import processes
from tests.faults.conftest import ALONE, SEEDS, moment, records, records_of, wait_for_epoch
from tests.faults.outcome import assert_finished
from tests.orchestrator.command import TINY, run, start

pytestmark = pytest.mark.slow

SHARD = "train-00001.tar"
BRIEF = ["sweep", "baseline", "--data", "tones", "--set", "epochs=1", *TINY]
STREAMED = [*ALONE, "--set", "views=random", "--set", "features=live"]


TWO_STREAMED = ["sweep", "loss", *STREAMED[2:], "--max-concurrent", "1"]


def _place(content, suffix, offset=0):
    """Where the first member of a kind begins in a shard; its header, 512 bytes before."""
    with tarfile.open(fileobj=io.BytesIO(content)) as shard:
        return next(m.offset_data for m in shard if m.name.endswith(suffix)) + offset


def _flip(path, suffix, offset):
    content = bytearray(path.read_bytes())
    content[_place(content, suffix, offset)] ^= 0x55
    path.write_bytes(content)


DAMAGES = {
    "truncated": lambda path: path.write_bytes(path.read_bytes()[: path.stat().st_size // 2]),
    "jpeg": lambda path: _flip(path, ".jpg", 400),
    "flac": lambda path: _flip(path, ".0.flac", 3000),
    "header": lambda path: _flip(path, ".jpg", -512),
}


def _said(done):
    """The line that explains; there is no traceback."""
    assert done.returncode == 1, done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    (line,) = [line for line in done.stderr.splitlines() if line.startswith("failed: ")]
    return line


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_changed_shard_is_told_by_its_hash(folder, damage):
    DAMAGES[damage](folder / "tones" / SHARD)
    verified = run("data", "verify", "tones", folder=folder)
    assert verified.returncode == 1
    assert f"{SHARD}: SHA-256 must be" in verified.stderr
    if damage == "jpeg":  # the one that might be decoded
        line = _said(run(*BRIEF, folder=folder))
        assert f"{SHARD} is damaged: its SHA-256 is not the manifest's" in line
        assert records(folder / "runs") == {}


def test_damage_in_the_data_set_itself_is_counted_and_named(folder):
    data = made.load(folder / "tones")
    with tarfile.open(folder / "tones" / SHARD) as shard:
        keys = sorted({name.partition(".")[0] for name in shard.getnames()})
    for key, member in zip(keys, ("jpg", "0.flac", "json"), strict=False):
        data = made.replace_member(data, SHARD, f"{key}.{member}", b"\xff\xd8damaged")
    line = _said(run(*BRIEF, folder=folder))
    assert any(f"{key} in " in line for key in keys[:3])
    assert "max_broken" in line
    done = run(*BRIEF, "--set", "max_broken=0.02", folder=folder)
    assert done.returncode == 0, done.stderr
    (record,) = records(folder / "runs").values()
    assert record["dropped"]["train"] == 3


def test_a_damaged_archive_fails_however_much_may_be_broken(folder):
    DAMAGES["truncated"](folder / "tones" / SHARD)
    made.sign(made.load(folder / "tones"))
    line = _said(run(*BRIEF, "--set", "max_broken=0.9", folder=folder))
    assert f"{SHARD} is damaged" in line


@pytest.fixture(scope="module")
def streamed(tmp_path_factory):
    """The record of the streamed sweep when nothing happens to it."""
    return records_of(STREAMED, tmp_path_factory.mktemp("streamed"))


@pytest.mark.parametrize("seed", SEEDS)
def test_a_killed_loader_process_costs_a_try(streamed, folder, seed):
    command = start(*STREAMED, "--loader-workers", "1", folder=folder)
    wait_for_epoch(folder / "runs", moment("loader", seed, high=5))
    _kill_a_loader(folder)
    output, _ = command.communicate(timeout=300)
    assert command.returncode == 0, output
    assert "a loader process must live as long as its trial, but one ended" in output
    assert "Traceback" not in output
    assert_finished(folder, streamed)


def _kill_a_loader(folder):
    """A child of a process that trains: loaders are forked from it."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        for pid in processes.trainers(processes.of_sweep(folder)):
            if loaders := _children(pid):
                os.kill(loaders[0], signal.SIGKILL)
                return
    raise AssertionError("no loader process was seen")


def _children(pid):
    try:
        return [int(n) for n in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("signed", [False, True], ids=["shard", "manifest too"])
def test_data_replaced_under_a_sweep_never_mix(folder, seed, signed):
    """The trial under way stops at the first shard that is another, the next one before it begins;
    no record is of both."""
    command = start(*TWO_STREAMED, folder=folder)
    wait_for_epoch(folder / "runs", moment("replaced", seed, high=5))
    data = made.load(folder / "tones")
    content = (folder / "tones" / SHARD).read_bytes()
    with tarfile.open(fileobj=io.BytesIO(content)) as shard:
        name = next(n for n in shard.getnames() if n.endswith(".jpg"))
    if signed:
        made.replace_member(data, SHARD, name, made.jpeg(99, 1))
    else:
        _flip(folder / "tones" / SHARD, ".jpg", 400)
    output, _ = command.communicate(timeout=300)
    assert command.returncode == 1, output
    assert "its SHA-256 is not the manifest's" in output
    assert "Traceback" not in output
    assert records(folder / "runs") == {}
