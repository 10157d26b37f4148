"""Does what the thesis found better prove better here? By R@1 summed over both directions."""

from orchestrator.headline import DIRECTIONS
from orchestrator.report.grid import number
from orchestrator.report.table import Cell, Group, Table

EQUAL = 0.05
"""Percentage points, of a sum of two percentages, within which two cells are equal."""
NEAR = 1.5
"""Times chance, below which cells are not compared."""
NOISE = "One seed: differences may be noise. Replicate with --seeds 5."


def orderings(table: Table, group: Group) -> list[str]:
    """A sentence for each cell that, like the baseline, has a record and a thesis value."""
    baseline = group.cell(table.baseline)
    if baseline is None or not baseline.has_thesis or not baseline.seeds:
        return []
    others = (cell for cell in group.cells if cell.has_thesis and cell.seeds)
    return [_sentence(baseline, other) for other in others if other is not baseline]


def _sentence(baseline: Cell, other: Cell) -> str:
    thesis = _gap(baseline, other, "thesis")
    if thesis is not None and thesis < 0:
        baseline, other = other, baseline  # the thesis' better one is named first
    thesis, ours = _gap(baseline, other, "thesis"), _gap(baseline, other, "ours")
    if thesis is None or ours is None:
        return f"{baseline.label}, {other.label}: the thesis has one of them in one direction only."
    if at_chance(baseline) and at_chance(other):
        return f"{baseline.label} better than {other.label}: undecided, both are near chance here."
    quoted = ", quoted from a paper" if baseline.quoted or other.quoted else ""
    return (
        f"{baseline.label} better than {other.label}: {verdict(ours, thesis)} (here "
        f"{number(ours, sign=True)}, thesis {number(thesis, sign=True)}{quoted})."
    )


def at_chance(cell: Cell) -> bool:
    """Whether a cell's R@1 is less than half as high again as chance, over both directions."""
    ours = _sum(cell, "ours")
    chance = sum(cell.values[f"{direction}_chance"].ours or 0.0 for direction in DIRECTIONS)
    return ours is not None and ours < NEAR * chance


def verdict(ours: float, thesis: float) -> str:
    """What became of the thesis' ordering of two cells.

    Args:
        ours, thesis: R@1 sum of the thesis' better cell minus that of the other.
    """
    if abs(thesis) <= EQUAL:
        return f"equal within {EQUAL} in the thesis"
    if abs(ours) <= EQUAL:
        return f"equal within {EQUAL} here"
    return "holds" if ours > 0 else "reversed"


def _gap(baseline: Cell, other: Cell, whose: str) -> float | None:
    sums = [_sum(cell, whose) for cell in (baseline, other)]
    return None if sums[0] is None or sums[1] is None else round(sums[0] - sums[1], 6)


def _sum(cell: Cell, whose: str) -> float | None:
    found = [getattr(cell.values[f"{direction}_r1"], whose) for direction in DIRECTIONS]
    return None if None in found else sum(found)
