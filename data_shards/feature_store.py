"""Derived columns: made once a node and, where a URI to share them is given, once a cluster.

In the cache a column is a folder of files, made under another name and renamed, behind a lock: one
process makes it, others wait and say how far it is, a killed one leaves nothing half. Shared, its
files lie under the column's URI, named by their SHA-256, and `files.json`, written last, says which
they are. So two nodes that share the same column at the same time never mix: each index names its
own files.

Sharing only saves time: where it fails, a column is derived and a warning printed.
"""

import hashlib
import json
import re
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from data_shards import columns_kept, files, progress
from data_shards.columns_kept import INDEX
from data_shards.errors import DataError, UsageError
from data_shards.progress import Advance

WAIT_SECONDS = 5.0  # between two lines of a process that waits
SHARED = "files.json"
_NAME = re.compile(r"[a-z]+\.(npy|bin|json)")
Write = Callable[[Path, Advance], None]
"""Makes a column's files in an empty folder, and tells how many more samples are done."""


@dataclass(frozen=True)
class Store:
    """The columns of a node.

    Args:
        folder: where they are kept.
        shared: URI under which nodes share columns; "" for none.
        limit: bytes that they may take; those used least recently make room for a new one. A plan
            whose own columns do not fit is not cached in the first place. 0: no limit.
    """

    folder: Path
    shared: str = ""
    limit: int = 0

    def once(self, name: str, write: Write, *, samples: int) -> Path:
        """Have a column: as it is there, else from where it is shared, else written.

        Args:
            samples: how many there are to write.

        Returns:
            The column's folder.

        Raises:
            DataError: the disk is full.
        """
        folder = self.folder / name
        if columns_kept.use(folder):
            return folder
        url = files.join(self.shared, name) if self.shared else ""
        self.folder.mkdir(parents=True, exist_ok=True)
        with _turn(folder):
            if (folder / INDEX).exists():
                return folder
            fetched = bool(url) and _fetched(folder, url)
            if not fetched:
                _make(folder, lambda target: _write(write, target, folder, samples))
            columns_kept.evict(self.folder, limit=self.limit)
        if url and not fetched:  # without the lock: the node's other trials go on
            _share(folder, url)
        return folder


@contextmanager
def _turn(folder: Path) -> Iterator[None]:
    """The column's lock; who has to wait for it says how far the writer is."""
    lock = FileLock(f"{folder}.lock")
    while not lock.is_locked:
        try:
            lock.acquire(timeout=WAIT_SECONDS)
        except Timeout:
            done = progress.read(_progress(folder)) or "begun"
            print(f"{folder.name}: another process derives it, {done}", file=sys.stderr, flush=True)
    try:
        yield
    finally:
        lock.release()


def _progress(folder: Path) -> Path:
    return folder.with_name(f"{folder.name}.progress")


def _write(write: Write, target: Path, folder: Path, samples: int) -> None:
    with (
        progress.bar(folder.name, total=samples) as advance,
        progress.noted(_progress(folder), total=samples) as note,
    ):

        def both(count: int) -> None:
            advance(count)
            note(count)

        write(target, both)


def _make(folder: Path, write: Callable[[Path], None]) -> None:
    shutil.rmtree(folder, ignore_errors=True)  # of a deletion that was interrupted
    target = folder.with_name(f".half-{folder.name}")
    shutil.rmtree(target, ignore_errors=True)  # of a process that was killed
    target.mkdir()
    try:
        write(target)
        target.rename(folder)
    except BaseException as error:
        shutil.rmtree(target)
        if isinstance(error, OSError) and files.is_full(error):
            raise DataError(
                f"{folder.parent} must have room for derived features, but its disk is full: free "
                "some, or set VFSEL_CACHE to a folder on another disk."
            ) from error
        raise


def _fetched(folder: Path, url: str) -> bool:
    """Whether the column was shared, and is now in the folder."""
    try:
        index = files.read_bytes(files.join(url, SHARED))
        if index is None:
            return False
        _make(folder, lambda target: _fetch(url, index, target))
    except (DataError, UsageError) as error:
        _warn(f"shared features are derived here instead: {error}")
        return False
    return True


def _fetch(url: str, index: bytes, target: Path) -> None:
    """Get a column's files; where they are not what the index says, take the index away."""
    try:
        for name, digest in _parse(index).items():
            files.download(files.join(url, digest), target / name)
            if _sha256(target / name) != digest:
                raise ValueError(f"{name} has another SHA-256")
    except (ValueError, KeyError, AttributeError, FileNotFoundError) as error:
        files.remove(files.join(url, SHARED))
        raise DataError(f"{files.shown(url)} is damaged ({error}).") from error


def _parse(index: bytes) -> dict[str, str]:
    """File name → SHA-256. A name from outside must not lead out of the folder."""
    found = {str(name): str(digest) for name, digest in json.loads(index)["files"].items()}
    strange = [name for name in found if not _NAME.fullmatch(name)]
    if strange or INDEX not in found:
        raise ValueError(f"files {sorted(found)} are no column")
    return found


def _share(folder: Path, url: str) -> None:
    """Put a column where others find it, unless another node did so meanwhile."""
    try:
        if files.read_bytes(files.join(url, SHARED)) is not None:
            return
        found = {path.name: _sha256(path) for path in sorted(folder.iterdir())}
        for name, digest in found.items():
            files.upload(folder / name, files.join(url, digest))
        files.write_atomic(files.join(url, SHARED), json.dumps({"files": found}).encode())
    except (DataError, UsageError, FileNotFoundError) as error:  # evicted meanwhile
        _warn(f"derived features are not shared: {error}")


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _warn(text: str) -> None:
    print(f"warning: {text}", file=sys.stderr, flush=True)
