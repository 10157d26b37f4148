"""The processes of a sweep: found by a mark in their environment, ended by real signals."""

import os
import signal
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from subprocess import Popen

from tests.faults.conftest import epochs_of
from tests.ray_head import wait_for

STOP_SECONDS = 3.0  # between the two signals of `ray job stop`


def of_sweep(folder: Path) -> list[int]:
    """What the command in this folder started, Ray's processes included, wherever they hang now.

    Itself only if it is fresh (`tests/orchestrator/warm.py`).
    """
    mark = f"VFSEL_CACHE={folder}/cache".encode()
    pids = (int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit())
    return [pid for pid in pids if mark in _read(pid, "environ").split(b"\0")]


def trainers(pids: Iterable[int]) -> list[int]:
    """Those that train: Tune may start another one ahead, which waits for its trial."""
    return [pid for pid in pids if b"ResourceTrainable.train" in _read(pid, "cmdline")]


def raylets(pids: Iterable[int]) -> list[int]:
    """Those that are a node of Ray's."""
    return [pid for pid in pids if b"raylet/raylet" in _read(pid, "cmdline")]


def heads(pids: Iterable[int]) -> list[int]:
    """Those that keep the books of a Ray."""
    return [pid for pid in pids if b"gcs/gcs_server" in _read(pid, "cmdline")]


def working(folder: Path) -> list[int]:
    """Those that can train or write still: a node of Ray's, a trial, a driver.

    Two idle agents of a node stay for about a minute when a driver alone was killed.
    """
    pids = of_sweep(folder)
    agents = [pid for pid in pids if b"Agent" in _read(pid, "cmdline")]
    return sorted(set(pids) - set(agents))


def a_trainer(find: Callable[[], Iterable[int]], *, seconds: float = 60.0) -> int:
    """A process that trains, as soon as there is one."""
    end = time.monotonic() + seconds
    while not (found := trainers(find())):
        assert time.monotonic() < end, "no trial is under way"
        time.sleep(0.02)
    return found[0]


def wait_for_more(command: Popen, folder: Path, epochs: int, *, seconds: float = 180.0) -> None:
    """Until the storage holds so many epochs more than now; the command must not end before."""
    enough = done_epochs(folder) + epochs
    end = time.monotonic() + seconds
    while done_epochs(folder) < enough:
        assert command.poll() is None, command.communicate()[0]
        assert time.monotonic() < end, f"the trials came not to {enough} epochs"
        time.sleep(0.02)


def done_epochs(folder: Path) -> int:
    """Epochs that all trials have reported."""
    return sum(epochs_of(folder / "runs").values())


def send(number: int, pids: Iterable[int]) -> None:
    """Send a signal; who has ended meanwhile gets none."""
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, number)


def wait_until_gone(folder: Path, *, seconds: float = 120.0) -> None:
    """Until nothing that the command in this folder started is left."""
    wait_for(lambda: not of_sweep(folder), seconds=seconds, what="the sweep's processes are gone")


def terminate_then_kill(command: Popen) -> None:
    """What `ray job stop` does to a job that does not end by itself."""
    command.send_signal(signal.SIGTERM)
    time.sleep(STOP_SECONDS)
    with suppress(ProcessLookupError):
        os.killpg(command.pid, signal.SIGKILL)


def _read(pid: int, name: str) -> bytes:
    try:
        return Path(f"/proc/{pid}/{name}").read_bytes()
    except OSError:
        return b""
