"""Runs a sweep on a test cluster, as a user does who has its address and its token."""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from orchestrator.storage import Storage
from tests.ray_head import Head

SECONDS = 400


@contextmanager
def command(
    head: Head, *arguments: str, folder: Path, **environment: str
) -> Iterator[subprocess.Popen[str]]:
    """The command under way, its output in one stream; it ends with the block at the latest."""
    own = {"RAY_ADDRESS": head.address, "VFSEL_CACHE": str(folder / "cache")}
    process = subprocess.Popen(
        [sys.executable, "-m", "orchestrator", *arguments], cwd=folder,
        env=head.client() | own | environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        text=True,
    )  # fmt: skip
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def finish(process: subprocess.Popen[str]) -> str:
    """What it printed."""
    return process.communicate(timeout=SECONDS)[0]


def reports(storage: Storage, folder: Path) -> dict[str, list[dict]]:
    """The reports so far, by trial."""
    ids = [path.stem for path in (folder / "reports").glob("*.jsonl")]
    return {trial_id: storage.reports(trial_id) for trial_id in ids}


def wait_for_reports(folder: Path, *, trials: int, process: subprocess.Popen[str]) -> None:
    """Until so many trials have reported an epoch."""
    end = time.monotonic() + SECONDS
    while len(list((folder / "reports").glob("*.jsonl"))) < trials:
        assert process.poll() is None, process.communicate()[0]
        assert time.monotonic() < end, "too few trials came so far"
        time.sleep(0.05)
