"""Which columns a node keeps: those used last, up to a limit."""

import os
import shutil
from contextlib import suppress
from pathlib import Path

INDEX = "index.json"
"""A column's own; written last, and touched whenever the column is used."""


def use(folder: Path) -> bool:
    """Whether the column is there; using it makes it the last to be evicted."""
    try:
        os.utime(folder / INDEX)
    except FileNotFoundError:
        return False
    return True


def evict(store: Path, *, keep: Path, limit: int) -> None:
    """Delete the columns used least recently until all take at most `limit` bytes (0: any).

    Who has a deleted column mapped keeps reading it: its bytes go when the last reader has gone.
    """
    if not limit:
        return
    columns = sorted(_columns(store))
    total = sum(size for _, size, _ in columns)
    for _, size, folder in columns:
        if total > limit and folder != keep:
            (folder / INDEX).unlink(missing_ok=True)  # first, so that nobody takes half of it
            shutil.rmtree(folder, ignore_errors=True)
            total -= size


def _columns(store: Path) -> list[tuple[int, int, Path]]:
    """Time of last use, bytes, folder of each column."""
    found = []
    for index in store.glob(f"*/{INDEX}"):
        with suppress(FileNotFoundError):  # another process evicts too
            size = sum(file.stat().st_size for file in index.parent.iterdir())
            found.append((index.stat().st_mtime_ns, size, index.parent))
    return [row for row in found if not row[2].name.startswith(".")]
