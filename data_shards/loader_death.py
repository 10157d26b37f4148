"""Loader processes that are killed from outside: one line, wherever the trial is at that moment."""

import re
import signal
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import FrameType
from typing import TypeVar

from data_shards.errors import WorkerDied

Item = TypeVar("Item")
_TORCH_SAYS = re.compile(r"DataLoader worker \(pid.*\) (is killed by|exited)")


def named(loaded: Iterator[Item]) -> Iterator[Item]:
    """What a loader with processes yields; call it once they run.

    Raises:
        WorkerDied: one of them was killed. Torch tells by a signal, so that it is raised in the
            main thread at any time, also between two items.
    """
    _watch()
    try:
        yield from loaded
    except RuntimeError as error:
        raise _in_words(error) from error


def _in_words(error: RuntimeError) -> RuntimeError:
    if not _TORCH_SAYS.search(str(error)):
        return error
    how = re.search(r"killed by signal: ([\w ]+)", str(error))
    what = how.group(1).strip() if how else "it left no word"
    return WorkerDied(f"a loader process must live as long as its trial, but one ended: {what}.")


def _watch() -> None:
    handler = signal.getsignal(signal.SIGCHLD)
    if not callable(handler) or isinstance(handler, _Told):
        return
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGCHLD, _Told(handler))


@dataclass(frozen=True)
class _Told:
    """Torch's handler, its errors in our words."""

    handler: Callable[[int, FrameType | None], object]

    def __call__(self, number: int, frame: FrameType | None) -> None:
        try:
            self.handler(number, frame)
        except RuntimeError as error:
            raise _in_words(error) from None
