"""When trials will have ended, told from how long their epochs took."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from statistics import median
from typing import Any


def pace(reports: Sequence[Mapping[str, Any]]) -> float | None:
    """Seconds an epoch of a trial, validation included; None before its first report.

    The median of what lies between two reports: the night for which a sweep was stopped does not
    count. After one epoch, what that one took.
    """
    times: list[float] = [report["time"] for report in reports if "time" in report]
    gaps = [max(0.0, later - earlier) for earlier, later in pairwise(times)]
    if gaps:
        return median(gaps)
    seconds: list[float] = [report["seconds"] for report in reports if "seconds" in report]
    return seconds[0] if seconds else None


def sweep_seconds(left: Sequence[int], *, paces: Sequence[float], at_once: int) -> float | None:
    """Seconds until a sweep has ended; None while no trial runs whose pace is known.

    Args:
        left: the epochs that each trial without a record lacks.
        paces: seconds an epoch of the trials that are under way.
        at_once: how many run side by side.
    """
    if not paces or not at_once or not left:
        return None
    return median(paces) * max(sum(left) / at_once, max(left))


def duration(seconds: float) -> str:
    """`12 s`, `5 min`, `3 h`, `2 days`: what a person wants to know."""
    for size, unit in ((86400, "days"), (3600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"
