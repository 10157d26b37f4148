"""What can be known to be wrong before GPU hours are spent; one module a subject.

A subject is a generator of `Check`s. One that breaks or hangs becomes an error of its own, and
does not keep the others from being looked at.
"""

import queue
import threading
from collections.abc import Callable, Iterator

from orchestrator.doctor import (
    cluster,
    data,
    environment,
    machine,
    packages,
    storage,
    tracking,
    zombies,
)
from orchestrator.doctor.check import ERROR, Asked, Check, refused

Subject = Callable[[Asked], Iterator[Check]]
SUBJECTS: dict[str, Subject] = {
    "environment": environment.checks,
    "packages": packages.checks,
    "machine": machine.checks,
    "ray": cluster.checks,
    "storage": storage.checks,
    "mlflow": tracking.checks,
    "zombie runs": zombies.checks,
    "data": data.checks,
}
SECONDS, FIX_SECONDS = 90.0, 3600.0


def examine(asked: Asked) -> Iterator[Check]:
    """All findings, subject by subject."""
    for name, subject in SUBJECTS.items():
        seconds = FIX_SECONDS if asked.fix or asked.full else SECONDS
        yield from guarded(name, subject, asked, seconds=seconds)


def guarded(name: str, subject: Subject, asked: Asked, *, seconds: float) -> Iterator[Check]:
    """The findings of one subject, its own failure among them.

    Args:
        seconds: how long it may take to its next finding; a thread that hangs in a file system or
            a server is left behind.
    """
    found: queue.SimpleQueue[Check | None] = queue.SimpleQueue()

    def work() -> None:
        try:
            for check in subject(asked):
                found.put(check)
        except BaseException as error:  # whatever it is, it is a finding
            found.put(refused(name, error))
        found.put(None)

    threading.Thread(target=work, name=f"doctor: {name}", daemon=True).start()
    try:
        while check := found.get(timeout=seconds):
            yield check
    except queue.Empty:
        yield Check(name, ERROR, f"no answer within {seconds:g} s", "see what hangs there")
