"""Runs tasks in fresh processes that never outlive this one."""

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from typing import TypeVar

from data_shards.errors import DataError

Task = TypeVar("Task")
Result = TypeVar("Result")


def run(
    function: Callable[[Task], Result],
    tasks: Sequence[Task],
    *,
    workers: int,
    done: Callable[[Result], None],
) -> None:
    """Call `function` (of a module's top level) on each task; `done` gets results as they come.

    The first error ends the others at once and is raised.

    Raises:
        DataError: a process was killed from outside.
    """
    if not tasks:
        return
    others = set(multiprocessing.active_children())
    executor = ProcessPoolExecutor(
        max_workers=min(workers, len(tasks)),
        mp_context=multiprocessing.get_context("spawn"),  # fork copies the locks of our threads
        initializer=_prepare,
    )
    try:
        for future in as_completed([executor.submit(function, task) for task in tasks]):
            done(future.result())
    except BaseException as error:
        for child in set(multiprocessing.active_children()) - others:
            child.terminate()
        if isinstance(error, BrokenProcessPool):
            raise DataError(
                "worker processes must live until their work is done, but one was killed "
                "(out of memory?); run the same command again to go on."
            ) from error
        raise
    finally:
        executor.shutdown(cancel_futures=True)


def _prepare() -> None:
    """Leave Ctrl-C to the parent, and end with it even if it is killed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)
