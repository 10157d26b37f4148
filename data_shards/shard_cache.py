"""Shards as bytes: local ones as they lie, remote ones fetched once a node and kept.

A kept shard is `<cache>/shards/<sha256>.tar`: named by its content, written atomically, shared by
all processes and data sets of the node. One process fetches, others wait at the lock. A shard is
read whole and its hash checked *every* time: the manifest says no size, flipped bytes have the
right one anyway, and hashing costs a fiftieth of decoding. What does not match is fetched again.
So the bytes that are used are the bytes that were checked, and a shard that is evicted under a
reader is harmless.
"""

import hashlib
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from data_shards import files, remote
from data_shards.cache_folder import shard_limit
from data_shards.errors import DataError, NetworkError
from data_shards.manifest import Data, Shard

LARGEST = 4 * 2**30  # bytes of a shard: it is read whole
_ABANDONED = 3600  # seconds after which a half-written file or a lock has no owner


def content(data: Data, shard: Shard) -> bytes:
    """A shard's bytes, which are what the manifest says.

    Raises:
        FileNotFoundError: it is not there.
        DataError: it was changed, or this node cannot keep it.
    """
    url = data.shard_url(shard)
    if data.cache is None or not files.is_remote(url):
        return _fetch(url, shard)
    folder = data.cache / "shards"
    try:
        return _once(url, shard, folder)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise NetworkError(
            f"shards must be kept in {folder}, but {error.strerror}: free some space, or set "
            "VFSEL_CACHE to a folder on another disk."
        ) from error


def _once(url: str, shard: Shard, folder: Path) -> bytes:
    """The kept shard; it is fetched by one process while others wait."""
    path = folder / f"{shard.sha256}.tar"
    found = _kept(path, shard)
    if found is None:
        folder.mkdir(parents=True, exist_ok=True)
        with _turn(folder / f".{shard.sha256}.lock"):
            found = _kept(path, shard)
            if found is None:
                found = _fetch(url, shard)
                _keep(path, found)
    return found


@contextmanager
def _turn(lock: Path) -> Iterator[None]:
    """One after another, but not for long: where a server is gone, a queue of processes that each
    try for two minutes would take hours to say so. Out of turn is only a needless download."""
    held = FileLock(lock)
    with suppress(Timeout):
        held.acquire(timeout=remote.RETRY_SECONDS)
    try:
        yield
    finally:
        held.release()


def _fetch(url: str, shard: Shard) -> bytes:
    found = files.read_bytes(url, limit=LARGEST)
    if found is None:
        raise FileNotFoundError(url)
    if not _matches(found, shard):
        raise DataError(
            f"shard {files.shown(url)} is damaged: its SHA-256 is not the manifest's (it was cut, "
            "or changed since); see `data verify` and pack the data again."
        )
    return found


def _matches(found: bytes, shard: Shard) -> bool:
    return hashlib.sha256(found).hexdigest() == shard.sha256


def _kept(path: Path, shard: Shard) -> bytes | None:
    """A kept shard if it is there and whole; reading it makes it the last to be evicted."""
    try:
        found = path.read_bytes()
    except FileNotFoundError:
        return None
    with suppress(FileNotFoundError):  # evicted this moment
        os.utime(path)  # access times are often not kept
    return found if _matches(found, shard) else None


def _keep(path: Path, found: bytes) -> None:
    """Write a shard, making room for it: below the limit, and all there is on a full disk."""
    _evict(path.parent, down_to=shard_limit() - len(found))
    try:
        files.write_atomic(path, found)
    except OSError as error:
        if not files.is_full(error):
            raise
        _evict(path.parent, down_to=0)
        files.write_atomic(path, found)


def _evict(folder: Path, *, down_to: int) -> None:
    """Delete the shards that were used least recently until the others take so many bytes."""
    shards = []
    for path in folder.iterdir():
        with suppress(FileNotFoundError):  # another process evicts too
            about = path.stat()
            if path.suffix == ".tar":
                shards.append((about.st_mtime_ns, about.st_size, path))
            elif path.name.startswith(".") and time.time() - about.st_mtime > _ABANDONED:
                path.unlink()
    total = sum(size for _, size, _ in shards)
    for _, size, path in sorted(shards):
        if total <= down_to:
            return
        path.unlink(missing_ok=True)
        total -= size
