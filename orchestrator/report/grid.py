"""Grids: tables as text in rows and columns, formatted once for every format."""

from collections.abc import Sequence
from dataclasses import dataclass, field

MISSING = "missing"
NOTHING = "–"
"""Where nothing can be: the thesis has no such value."""


@dataclass(frozen=True)
class Head:
    """A column's head in up to three levels; equal ones side by side are one heading."""

    group: str = ""
    direction: str = ""
    name: str = ""
    words: bool = False
    """Whether its column holds words between columns of numbers."""

    @property
    def levels(self) -> list[str]:
        """From the top down."""
        return [self.group, self.direction, self.name]


@dataclass(frozen=True)
class Line:
    """A row: what it is about, which of several rows about that, and a text a column."""

    label: str
    cells: Sequence[str]
    kind: str = ""


@dataclass(frozen=True)
class Grid:
    """A table of texts. Consecutive lines of one label belong together."""

    name: str
    """A word for file-wide labels, e.g. `headline`."""
    caption: str
    heads: Sequence[Head]
    lines: Sequence[Line]
    notes: Sequence[str] = field(default_factory=list)
    numeric: bool = True
    stub: str = ""
    """Head of the labels; with it, a page lets its reader sort and filter the lines."""

    @property
    def sortable(self) -> bool:
        """Whether its lines may stand in another order: those of facts about one thing may not."""
        return bool(self.stub)

    @property
    def levels(self) -> list[int]:
        """The levels of heads that say anything."""
        return [level for level in range(3) if any(head.levels[level] for head in self.heads)]

    @property
    def has_kinds(self) -> bool:
        """Whether a label has several lines."""
        return any(line.kind for line in self.lines)

    def spans(self, level: int) -> list[tuple[str, int]]:
        """Heads of a level and over how many columns each stands."""
        found: list[tuple[tuple[str, ...], int]] = []
        for head in self.heads:
            path = tuple(head.levels[: level + 1])
            # The lowest level is a head a column, also where two have the same name.
            if found and found[-1][0] == path and level != self.levels[-1]:
                found[-1] = (path, found[-1][1] + 1)
            else:
                found.append((path, 1))
        return [(path[-1], count) for path, count in found]


def number(value: float | None, decimals: int = 2, *, sign: bool = False) -> str:
    """A number as it is printed; a minus is a minus, and −0.00 is 0.00."""
    if value is None:
        return NOTHING
    text = f"{value + 0.0:{'+' if sign else ''}.{decimals}f}"
    zero = f"{0:.{decimals}f}"
    return zero if text.strip("+-") == zero else text.replace("-", "−")
