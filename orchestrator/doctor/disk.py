"""Room where a sweep writes: storage, this node's cache, temporary files, shared memory."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from data_shards import files
from data_shards.cache_folder import cache_folder
from orchestrator.doctor.check import Asked, Check, error, ok, warning

CHECKPOINT = 0.94e9  # bytes: trainable weights of the thesis' model with Adam's state
NEEDED = 4 * CHECKPOINT  # the last and the best, each written whole beside the one before it
FLOOR = 200e6
FEW_INODES, NO_INODES = 10_000, 100
SHARED = Path("/dev/shm")  # noqa: S108 (where Ray and loader processes keep what they share)
SHARED_NEEDED = 1e9


def checks(asked: Asked) -> Iterator[Check]:
    """A line for each place, and one for shared memory."""
    if not files.is_remote(asked.storage.url):
        yield from room("disk of storage", Path(asked.storage.url.removeprefix("file://")))
    yield from room("disk of cache", cache_folder())
    yield from room("disk of temporary files", Path(tempfile.gettempdir()))
    if SHARED.exists():
        yield shared(SHARED, loader_workers=asked.resources.loader_workers)


def room(name: str, folder: Path) -> Iterator[Check]:
    """Bytes and inodes that are free where a folder is, or would be."""
    place, left = existing(folder), free(folder)
    text, advice = f"{size(left)} free at {place}", "free some, or use a folder on another disk"
    if left < FLOOR:
        yield error(name, text, advice)
    elif left < NEEDED:
        wants = f"a trial of preset thesis needs {size(NEEDED)} for checkpoints"
        yield warning(name, f"{text}, and {wants}", advice)
    else:
        yield ok(name, text)
    about = os.statvfs(place)
    if about.f_files and about.f_favail < FEW_INODES:  # 0 files: it has no such limit
        few = warning if about.f_favail >= NO_INODES else error
        yield few(name, f"room for {about.f_favail} more files at {place}", "delete some files")


def shared(folder: Path, *, loader_workers: int) -> Check:
    """Shared memory: a container has 64 MB unless told otherwise."""
    left = free(folder)
    text = f"{size(left)} free"
    if left >= SHARED_NEEDED:
        return ok("shared memory", text)
    advice = "enlarge /dev/shm (docker run --shm-size=8g; an emptyDir of medium Memory)"
    if loader_workers and left < FLOOR:
        return error("shared memory", f"{text}: loader processes would be killed", advice)
    return warning("shared memory", f"{text}: Ray would use slow files instead", advice)


def free(folder: Path) -> int:
    """Bytes that a program may still write where a folder is, or would be."""
    about = os.statvfs(existing(folder))
    return about.f_bavail * about.f_frsize


def existing(folder: Path) -> Path:
    """The folder, or the nearest one above that exists."""
    folder = folder.absolute()
    return next(place for place in (folder, *folder.parents) if place.exists())


def size(count: float) -> str:
    """Bytes for people."""
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{count / 1e6:.0f} MB"
