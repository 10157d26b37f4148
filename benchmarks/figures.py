"""What a benchmark finds: figures with goals, as Markdown and as JSON."""

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One measured figure; a ratio wherever two things were measured side by side in one run."""

    what: str
    value: float
    unit: str = "×"
    at_least: float | None = None
    at_most: float | None = None
    note: str = ""
    """Absolute times and sizes, what was extrapolated, which limit stands in the way."""

    @property
    def goal(self) -> str:
        """The goal in words; empty where there is none."""
        if self.at_least is not None:
            return f"≥ {self.at_least:g} {self.unit}"
        return "" if self.at_most is None else f"≤ {self.at_most:g} {self.unit}"

    @property
    def met(self) -> str:
        """`yes`, `no`, or empty where there is no goal."""
        if self.at_least is not None:
            return "yes" if self.value >= self.at_least else "no"
        if self.at_most is not None:
            return "yes" if self.value <= self.at_most else "no"
        return ""

    def row(self) -> str:
        """A line of the Markdown table."""
        shown = f"{self.value:.3g}" if abs(self.value) < 1000 else f"{self.value:,.0f}"
        cells = (f"{shown} {self.unit}", self.goal, self.met, self.what, self.note)
        return f"| {' | '.join(cells)} |"


HEADER = "| figure | goal | met | what | how measured |\n|---|---|---|---|---|"


def seconds(run: Callable[[], object]) -> float:
    """How long one call takes."""
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def side_by_side(*runs: Callable[[], object], rounds: int = 5) -> list[float]:
    """Median seconds of each, measured in turn: what else the machine does hits all alike.

    One round before the first warms up caches and memory.
    """
    for run in runs:
        run()
    taken = [[seconds(run) for run in runs] for _ in range(rounds)]
    return [statistics.median(times) for times in zip(*taken, strict=True)]
