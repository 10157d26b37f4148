"""Room on this machine: disks, shared memory, memory, processors."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from data_shards import files
from data_shards.cache_folder import cache_folder, shard_limit
from orchestrator.doctor.check import ERROR, OK, WARNING, Asked, Check

GB = 1e9
# The thesis-size model with Adam is 0.94 GB; two generations of it, and a third being written.
CHECKPOINTS = 3 * 0.94 * GB
FLOOR = 0.1 * GB
INODES, INODES_FLOOR = 10_000, 100
SHARED, SHARED_FLOOR = 1.0 * GB, 0.03 * GB
MEMORY, MEMORY_FLOOR = 4.0 * GB, 0.5 * GB
KILLED_AT = 0.95  # share of memory in use at which Ray ends trials
_CGROUP = Path("/sys/fs/cgroup")


def checks(asked: Asked) -> Iterator[Check]:
    """Of each disk that a sweep writes to, and of memory and processors."""
    if not files.is_remote(asked.storage):
        folder = Path(asked.storage.removeprefix("file://"))
        yield from disk("disk of the storage", folder, wanted=CHECKPOINTS)
    yield from disk("disk of the cache", cache_folder(), wanted=min(shard_limit(), 10 * GB))
    yield from disk("disk of temporary files", Path(tempfile.gettempdir()), wanted=2 * GB)
    if Path("/dev/shm").is_dir():  # noqa: S108
        yield from disk("shared memory", Path("/dev/shm"), wanted=SHARED, floor=SHARED_FLOOR)  # noqa: S108
    yield memory(*_memory())
    yield _processors(asked)


def disk(name: str, folder: Path, *, wanted: float, floor: float = FLOOR) -> Iterator[Check]:
    """Room in a folder that may still have to be made.

    Args:
        wanted: bytes free, below which a sweep may come to an end.
        floor: bytes free, below which it will.
    """
    there = next(each for each in (folder.absolute(), *folder.absolute().parents) if each.exists())
    free, advice = shutil.disk_usage(there).free, f"free some, or use another place than {folder}"
    level = ERROR if free < floor else WARNING if free < wanted else OK
    text = f"{free / GB:.1f} GB free in {there}"
    if level == OK:
        yield Check(name, OK, text)
    else:
        yield Check(name, level, f"{text}, where {wanted / GB:.1f} GB are wanted", advice)
    found = os.statvfs(there)
    if found.f_files and found.f_favail < INODES:  # some file systems do not count
        level = ERROR if found.f_favail < INODES_FLOOR else WARNING
        yield Check(name, level, f"room for {found.f_favail} more files only in {there}", advice)


def memory(total: float, free: float) -> Check:
    """Whether a trial finds memory, and Ray's memory monitor leaves it alone. In bytes."""
    text = f"{free / GB:.1f} of {total / GB:.1f} GB free"
    if free < MEMORY_FLOOR or free < (1 - KILLED_AT) * total:
        advice = f"free some: Ray ends trials when {KILLED_AT:.0%} are in use"
        return Check("memory", ERROR, text, advice)
    if free < MEMORY:
        return Check("memory", WARNING, text, "let fewer trials run at once by --max-concurrent")
    return Check("memory", OK, text)


def _memory() -> tuple[float, float]:
    """Bytes in all and free, of the machine or of the container where that has less."""
    lines = (line.split() for line in Path("/proc/meminfo").read_text().splitlines())
    found = {words[0].rstrip(":"): int(words[1]) * 1024 for words in lines}
    total, free = found["MemTotal"], found["MemAvailable"]
    limit, used = (_number(_CGROUP / name) for name in ("memory.max", "memory.current"))
    if limit is None:
        limit, used = (
            _number(_CGROUP / "memory" / f"memory.{name}_in_bytes") for name in ("limit", "usage")
        )
    if limit is None or used is None or limit >= total:
        return total, free
    return limit, min(free, limit - used)


def _number(path: Path) -> int | None:
    """What a file of the kernel says; None where there is none, or no limit."""
    try:
        return int(path.read_text())
    except (OSError, ValueError):
        return None


def _processors(asked: Asked) -> Check:
    cores, wanted = len(os.sched_getaffinity(0)), 1 + asked.loader_workers
    text = f"{cores} for this process, {wanted} for a trial"
    if wanted > cores and not asked.address:
        advice = "lower --loader-workers: each counts as a CPU"
        return Check("processors", ERROR, text, advice)
    return Check("processors", OK, text)
