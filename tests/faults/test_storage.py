"""A storage that fills up, turns read-only, loses the end of files, is asked twice, or is away
now and then: one plain line, nothing half, and the same command finishes with the same records.
"""

import os
import random
import signal
import subprocess
import time
from contextlib import contextmanager, suppress

import pytest

from orchestrator.lock import look
from orchestrator.storage import Storage
from tests import made
from tests.faults.conftest import ALONE, SEEDS, moment, records, wait_for_epoch
from tests.faults.flaky import flaky
from tests.orchestrator.command import run, start
from tests.s3 import leading_to
from tests.small_disk import enlarge, small_disk

pytestmark = pytest.mark.slow

SMALL, LARGE = 20_000, 200_000  # kB


@pytest.fixture
def disk(folder):
    """The storage on a small disk of its own."""
    with small_disk(folder / "runs", kilobytes=SMALL) as mounted:
        yield mounted


def _fill(disk):
    """Up to its last byte."""
    with (disk / "ballast").open("wb", buffering=0) as ballast, suppress(OSError):
        while ballast.write(bytes(1 << 16)):
            pass
    assert os.statvfs(disk).f_bavail == 0


@contextmanager
def _read_only(disk):
    """The disk meanwhile; as a mount upon itself, for one with open files cannot be changed."""
    subprocess.run(["mount", "--bind", str(disk), str(disk)], check=True)
    subprocess.run(["mount", "-o", "remount,ro,bind", str(disk)], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(disk)], check=True)


def _ended(command):
    """What a command says that ends by itself with exit code 1."""
    output, _ = command.communicate(timeout=200)
    assert command.returncode == 1, output
    assert "Traceback" not in output
    return output


@pytest.mark.parametrize("seed", SEEDS)
def test_a_disk_that_fills_up_and_one_that_turns_read_only(disk, folder, undisturbed_alone, seed):
    once = [*ALONE, "--max-failures", "0"]
    command = start(*once, folder=folder)
    wait_for_epoch(disk, moment("full", seed, high=4))
    _fill(disk)
    (line,) = [line for line in _ended(command).splitlines() if line.startswith("failed: ")]
    assert "the disk is full" in line
    assert not records(disk)
    assert not list(disk.rglob(".*"))

    enlarge(disk, kilobytes=LARGE)
    command = start(*once, folder=folder)
    wait_for_epoch(disk, moment("read-only", seed, low=6, high=7))
    with _read_only(disk):
        (line,) = [line for line in _ended(command).splitlines() if line.startswith("failed: ")]
    assert "Read-only file system" in line

    done = run(*ALONE, folder=folder)
    assert done.returncode == 0, done.stderr
    assert records(disk) == undisturbed_alone


def test_a_disk_that_takes_nothing_from_the_start(disk, folder):
    with _read_only(disk):
        done = run(*ALONE, folder=folder)
    assert done.returncode == 2
    assert "--storage must be writable, but 'runs' is not" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    _fill(disk)
    done = run(*ALONE, folder=folder)
    assert done.returncode == 1
    assert "the disk is full" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def _cut_newest(storage, kinds, draw):
    """Of each kind, the file that was written last keeps a half of it, or nothing."""
    for kind in kinds:
        paths = [path for path in (storage / kind).rglob("*") if path.is_file()]
        newest = max(paths, key=lambda path: path.stat().st_mtime_ns)
        size = newest.stat().st_size
        os.truncate(newest, draw.choice([0, size // 2]))


@pytest.mark.parametrize("seed", SEEDS)
def test_what_a_power_cut_leaves_of_the_newest_files(folder, undisturbed_alone, seed):
    draw, runs = random.Random(f"power {seed}"), folder / "runs"
    command = start(*ALONE, folder=folder)
    wait_for_epoch(runs, moment("power", seed))
    os.killpg(command.pid, signal.SIGKILL)
    command.wait()
    assert not look(Storage(str(runs))).alive
    _cut_newest(runs, ["plans", "reports", "checkpoints"], draw)

    one, other = (start(*ALONE, folder=folder) for _ in range(2))  # both find it free
    while one.poll() is None and other.poll() is None:
        time.sleep(0.1)
    refused, working = (one, other) if one.poll() is not None else (other, one)
    said = _ended(refused)
    assert f"is held by `sweep baseline` (host {os.uname().nodename}, process {working.pid}" in said
    assert len(said.splitlines()) == 1
    output, _ = working.communicate(timeout=240)
    assert working.returncode == 0, output
    assert records(runs) == undisturbed_alone

    _cut_newest(runs, ["plans", "records", "reports", "models", "pictures"], draw)
    _cut_newest(runs, ["queries"], random.Random(seed))
    done = run(*ALONE, folder=folder)
    assert done.returncode == 0, done.stderr
    assert records(runs) == undisturbed_alone
    assert "set aside in damaged/" in done.stderr
    again = run(*ALONE, folder=folder)
    assert "set aside" not in again.stderr


def test_an_object_store_that_fails_now_and_then(s3, bucket, tmp_path, undisturbed_alone):
    made.make(tmp_path / "tones", per_class=20)
    with flaky(s3.port, every=7) as between:
        with leading_to(between.endpoint):
            done = run(*ALONE, "--storage", f"{bucket}/runs", folder=tmp_path)
        assert done.returncode == 0, done.stderr
        assert "Traceback" not in done.stderr + done.stdout
        assert between.creations >= 2  # the lock's, whose first answer was lost
        assert min(between.failed.values()) >= 2
    with leading_to(s3.endpoint):
        assert records(f"{bucket}/runs") == undisturbed_alone
        assert look(Storage(f"{bucket}/runs")) is None
