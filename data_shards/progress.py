"""A progress bar with the time left, on standard error; plain lines where that is no terminal."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

Advance = Callable[[int], None]
_SECONDS_BETWEEN_LINES = 5.0
_SILENT_SECONDS = 300.0


@contextmanager
def bar(label: str, *, total: int, done: int = 0, show: bool = True) -> Iterator[Advance]:
    """Yields a function that is told how many more are done; `done` were before we began."""
    if not show:
        yield lambda _count: None
    elif sys.stderr.isatty():
        columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn()
        console = Console(stderr=True)
        with Progress(*columns, TimeRemainingColumn(), console=console) as progress:
            task = progress.add_task(label, total=total, completed=done)
            yield lambda count: progress.advance(task, count)
    else:
        yield _lines(label, total=total, done=done)


def _lines(label: str, *, total: int, done: int) -> Advance:
    started = time.monotonic()
    last, now_done = started, done

    def advance(count: int) -> None:
        nonlocal last, now_done
        now_done += count
        now = time.monotonic()
        if now - last < _SECONDS_BETWEEN_LINES and now_done < total:
            return
        last = now
        left = (now - started) / (now_done - done) * (total - now_done)
        minutes, seconds = divmod(round(left), 60)
        print(f"{label}: {now_done}/{total}, {minutes}:{seconds:02d} left", file=sys.stderr)

    return advance


@contextmanager
def noted(path: Path, *, total: int) -> Iterator[Advance]:
    """As `bar`, but noted in a file, for other processes; the file goes when the work ends."""
    done = 0

    def advance(count: int) -> None:
        nonlocal done
        done += count
        path.write_text(f"{done}/{total}")

    try:
        yield advance
    finally:
        path.unlink(missing_ok=True)


def read(path: Path) -> str:
    """What was noted, e.g. `320/1000`; empty if nothing is, or not for minutes: its writer died."""
    try:
        fresh = time.time() - path.stat().st_mtime < _SILENT_SECONDS
        return path.read_text() if fresh else ""
    except FileNotFoundError:
        return ""
