"""What can be seen before GPU hours are spent: a subject a file, its checks a generator.

A subject that breaks, or that does not come to an end, becomes an error line of its own.
"""

import importlib
import queue
import threading
from collections.abc import Iterator

from orchestrator.doctor.check import Asked, Check, error

SUBJECTS = (
    "packages", "environment", "ray_head", "disk", "memory", "results", "data", "weights",
    "shipped", "tracking", "zombies",
)  # fmt: skip
SECONDS = 90.0  # a dead network file system never answers; a lock on s3:// is watched for 45 s


def examine(asked: Asked) -> Iterator[Check]:
    """The checks of every subject, each as soon as it is known."""
    for subject in SUBJECTS:
        yield from _limited(subject, asked)


def _limited(subject: str, asked: Asked) -> Iterator[Check]:
    """In a thread, which is left behind where it hangs."""
    found: queue.Queue[Check | None] = queue.Queue()
    threading.Thread(target=_look, args=(subject, asked, found), daemon=True).start()
    try:
        while check := found.get(timeout=SECONDS):
            yield check
    except queue.Empty:
        yield error(subject, f"no answer within {SECONDS:g} s", "see what it waits for")


def _look(subject: str, asked: Asked, found: "queue.Queue[Check | None]") -> None:
    try:
        for check in importlib.import_module(f"orchestrator.doctor.{subject}").checks(asked):
            found.put(check)
    except Exception as problem:  # whatever breaks is what was looked for
        said = " ".join(str(problem).split())[:300] or "no reason given"
        found.put(error(subject, f"the check failed ({type(problem).__name__}: {said})"))
    found.put(None)
