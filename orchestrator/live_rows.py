"""What the live table knows of each trial, and which rows of it a terminal has room for."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from orchestrator.eta import duration, pace, sweep_seconds

WAITING, PREPARING, RUNNING, RECORDED, FAILED = (
    "waiting", "preparing", "running", "recorded", "failed",
)  # fmt: skip
_ORDER = (RUNNING, PREPARING, FAILED, RECORDED, WAITING)
_BAR = 10  # characters
_KEPT = ("epoch", "time", "seconds")


@dataclass
class Row:
    """A trial in the live table."""

    name: str
    epochs: int
    state: str = WAITING
    reason: str = ""
    """Why it failed."""
    reports: list[Mapping[str, Any]] = field(default_factory=list)
    """Of its epochs, only what `_KEPT` names: a sweep has thousands of trials."""
    metrics: Mapping[str, float] = field(default_factory=dict)
    """Of its last epoch, as measured while training (percent)."""
    score: float | None = None
    """Selection metric (percent, sum of both R@1): its best so far, or that of its record."""
    oracle: bool = False
    """The test split chooses its epoch."""

    @property
    def epoch(self) -> int:
        """How many epochs are behind it."""
        if self.state == RECORDED:
            return self.epochs
        return int(self.reports[-1]["epoch"]) if self.reports else 0

    @property
    def bar(self) -> str:
        """E.g. `█████░░░░░ 6/12`."""
        filled = _BAR * self.epoch // self.epochs
        return f"{'█' * filled}{'░' * (_BAR - filled)} {self.epoch}/{self.epochs}"

    @property
    def r1(self) -> str:
        """R@1 of its last epoch, speech → image and back, e.g. `30.0 41.3`; `–` if unknown."""
        if not self.metrics:
            return "–"
        return f"{self.metrics['s2i_r1']:.1f} {self.metrics['i2s_r1']:.1f}"

    @property
    def left(self) -> str:
        """How long it will go on, e.g. `5 min`; empty where nobody can tell."""
        seconds = pace(self.reports)
        if self.state != RUNNING or seconds is None:
            return ""
        return duration(seconds * (self.epochs - self.epoch))

    def add(self, report: Mapping[str, Any]) -> bool:
        """Take an epoch's report; False if it was known, as those of a trial that goes on are.

        What is trained anew (on a GPU it may differ) takes the place of what was known from there.
        """
        new = {name: report[name] for name in _KEPT if name in report}
        if new in self.reports:  # a report keeps the time at which it was first made
            return False
        self.reports = [known for known in self.reports if known["epoch"] < new["epoch"]] + [new]
        self.metrics = report.get("metrics") or {}
        if self.metrics:
            self.score = max(self.score or 0.0, self.metrics["s2i_r1"] + self.metrics["i2s_r1"])
        return True

    def is_due(self) -> bool:
        """Whether its epoch is told where every line stays: each tenth of a trial, and the last."""
        return 10 * self.epoch // self.epochs > 10 * (self.epoch - 1) // self.epochs


def shown(rows: Collection[Row], *, room: int) -> tuple[list[Row], str]:
    """The rows that fit, and what the others are, e.g. `… and 43 waiting`.

    In the plan's order if all fit; else those that run first, then those that failed.
    """
    if len(rows) <= room:
        return list(rows), ""
    found = sorted(rows, key=lambda row: _ORDER.index(row.state))
    rest = Counter(row.state for row in found[room:])
    told = ", ".join(f"{rest[state]} {state}" for state in _ORDER if rest[state])
    return found[:room], f"… and {told}"


def best(rows: Collection[Row]) -> str:
    """The best trial so far; empty without any."""
    scored = [row for row in rows if row.score is not None]
    if not scored:
        return ""
    top = max(scored, key=lambda row: row.score or 0.0)
    oracle = " [oracle]" if top.oracle else ""
    return f"best so far {top.name}, R@1 sum {top.score:.1f}{oracle}"


def until_end(rows: Sequence[Row]) -> str:
    """How long the plan as it stands will take, e.g. `about 3 h left`; empty if nobody can tell."""
    running = [row for row in rows if row.state in (RUNNING, PREPARING)]
    open_rows = [row for row in rows if row.state not in (RECORDED, FAILED)]
    paces = [found for row in running if (found := pace(row.reports)) is not None]
    left = [row.epochs - row.epoch for row in open_rows]
    seconds = sweep_seconds(left, paces=paces, at_once=len(running))
    return "" if seconds is None else f"about {duration(seconds)} left"
