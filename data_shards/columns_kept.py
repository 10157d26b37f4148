"""Which columns a node keeps: those used last, up to a limit."""

import os
import shutil
import time
from contextlib import suppress
from pathlib import Path

INDEX = "index.json"
"""A column's own; written last, and touched whenever the column is used."""
IN_USE_SECONDS = 60.0
"""A column that was asked for is not evicted before it is mapped; the limit waits so long."""
ABANDONED_SECONDS = 24 * 3600.0
"""After which a half-written column has no writer."""


def use(folder: Path) -> bool:
    """Whether the column is there; using it makes it the last to be evicted."""
    try:
        os.utime(folder / INDEX)
    except FileNotFoundError:
        return False
    return True


def evict(store: Path, *, limit: int) -> None:
    """Delete the columns used least recently until all take at most `limit` bytes (0: any).

    Who has a deleted column mapped keeps reading it: its bytes go when the last reader has gone.
    """
    _remove_abandoned(store)
    columns = sorted(_columns(store))
    total = sum(size for _, size, _ in columns)
    for used, size, folder in columns:
        if limit and total > limit and time.time() - used > IN_USE_SECONDS:
            (folder / INDEX).unlink(missing_ok=True)  # first, so that nobody takes half of it
            shutil.rmtree(folder, ignore_errors=True)
            total -= size


def _remove_abandoned(store: Path) -> None:
    """What a killed writer left, if nobody has made that column since."""
    for path in [*store.glob(".half-*"), *store.glob("*.progress")]:
        with suppress(FileNotFoundError):
            if time.time() - path.stat().st_mtime > ABANDONED_SECONDS:
                shutil.rmtree(path) if path.is_dir() else path.unlink()


def _columns(store: Path) -> list[tuple[float, int, Path]]:
    """Time of last use, bytes, folder of each column."""
    found = []
    for index in store.glob(f"*/{INDEX}"):
        with suppress(FileNotFoundError):  # another process evicts too
            size = sum(file.stat().st_size for file in index.parent.iterdir())
            found.append((index.stat().st_mtime, size, index.parent))
    return [row for row in found if not row[2].name.startswith(".")]
