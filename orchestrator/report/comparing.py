"""Each cell against the baseline: differences with their intervals, p and verdicts."""

from typing import TYPE_CHECKING

from orchestrator.answers import sentence
from orchestrator.report.drawing import oracle
from orchestrator.report.grid import MISSING, NOTHING, Grid, Head, Line, number
from orchestrator.report.results import source_name
from orchestrator.report.table import Group, Table

if TYPE_CHECKING:
    from orchestrator.statistics.findings import Compared, Estimate

PRIMARY = "r1_sum"
"""The metric by which cells are compared: R@1 summed over both directions."""
_SMALLEST_P = 0.001
_WITHOUT_VERDICT = "not recorded"


def interval(estimate: "Estimate | None", decimals: int = 2, *, sign: bool = False) -> str:
    """`2.10 [−0.40, 4.60]`; the value alone where its uncertainty is not known."""
    if estimate is None:
        return NOTHING
    value = number(estimate.value, decimals, sign=sign)
    if estimate.low is None or estimate.high is None:
        return value
    return f"{value} [{number(estimate.low, decimals)}, {number(estimate.high, decimals)}]"


def p_value(p: float | None) -> str:
    """With three decimals; below them, that it is below."""
    if p is None:
        return NOTHING
    return f"< {_SMALLEST_P}" if p < _SMALLEST_P else f"{p:.3f}"


def answer_sentence(group: Group) -> str:
    """The answer of a data set in one sentence, with its uncertainty and beside chance.

    Without anything to compare it with, or without intervals, the answer's own sentence.
    """
    best = group.answer.best
    row = group.compared(best.label) if best else None
    mean = row.means.get(PRIMARY) if row else None
    if best is None or row is None or mean is None or mean.low is None:
        return sentence(group.answer)
    chance = sum(value for name, value in best.test.items() if name.endswith("_chance"))
    chosen = f"best: {best.label}" if len(group.cells) > 1 else best.label
    return (
        f"{chosen} — R@1 sum {interval(mean, 1)} on the test split (95 % interval; chance "
        f"{number(chance, 1)}){_against(group, row)}{oracle(group)}"
    )


def _against(group: Group, best: "Compared") -> str:
    """What the best cell is better than, or else how near the next one comes."""
    assert group.findings is not None, "the row is of it"
    if best.differences:
        return f"; against {group.findings.baseline} {_difference(best)}"
    rivals = [row for row in group.findings.rows if PRIMARY in row.differences]
    if not rivals:
        return ""
    nearest = max(rivals, key=lambda row: row.differences[PRIMARY].value)
    return f", the baseline; next to it {nearest.label} {_difference(nearest)}"


def _difference(row: "Compared") -> str:
    p = f", p = {p_value(row.p_holm)} (Holm)" if row.p_holm is not None else ""
    found = interval(row.differences[PRIMARY], 1, sign=True)
    return f"{found}{p.replace('= <', '<')}: {row.said}"


def comparison_grid(table: Table) -> Grid | None:
    """A line a cell: R@1 sum, its difference from the baseline beside the thesis', p, verdict.

    None where there is nothing to compare.
    """
    groups = [group for group in table.groups if group.findings and len(group.cells) > 1]
    if not groups:
        return None
    heads = [head for group in groups for head in _heads(table, group)]
    lines = [
        Line(label, [text for group in groups for text in _texts(table, group, label)])
        for label in table.labels
    ]
    against = "; ".join(
        dict.fromkeys(group.findings.baseline for group in groups if group.findings)
    )
    oracles = oracle(groups[0])
    return Grid(
        "comparison",
        f"Each cell against {against}, by R@1 summed over both directions; test split, percentage "
        f"points.{oracles}",
        heads, lines, _notes(table, groups), stub="cell",
    )  # fmt: skip


def _heads(table: Table, group: Group) -> list[Head]:
    thesis = ["difference in the thesis"] if table.has_thesis else []
    names = ["seeds", "R@1 sum [95 %]", "difference [95 %]", *thesis, "p (Holm)"]
    return [*(Head(group.name, name=name) for name in names), Head(group.name, "", "verdict", True)]


def _texts(table: Table, group: Group, label: str) -> list[str]:
    row, cell = group.compared(label), group.cell(label)
    thesis = [number(_thesis_gap(table, group, label), sign=True)] if table.has_thesis else []
    if row is None or not row.means:
        absent = MISSING if cell else "not planned"
        return ["0", absent, NOTHING, *thesis, NOTHING, _WITHOUT_VERDICT]
    return [
        str(row.seeds),
        interval(row.means.get(PRIMARY)),
        interval(row.differences.get(PRIMARY), sign=True),
        *thesis,
        p_value(row.p_holm),
        row.said,
    ]


def _thesis_gap(table: Table, group: Group, label: str) -> float | None:
    """R@1 sum of the thesis' cell minus that of its baseline."""
    base = group.findings.baseline if group.findings else table.baseline
    if label == base:
        return None
    sums = [group.thesis_sum(name) for name in (label, base)]
    return None if sums[0] is None or sums[1] is None else sums[0] - sums[1]


def _notes(table: Table, groups: list[Group]) -> list[str]:
    found = [
        "Intervals: 95 %, by a crossed bootstrap over seeds and test classes, each class with all "
        "its images and captions; differences are of equal seeds. p belongs to the same "
        "resamples; Holm's correction is over the lines of a data set. Fewer than 5 seeds decide "
        "nothing."
    ]
    if table.has_thesis:
        found.append(f"The thesis ({source_name(table)}) ran each cell once and has no intervals.")
    if any(_without(group) for group in groups):
        found.append(
            "A value without an interval: its records hold no ranks of single queries, or cells "
            "were tested on different queries."
        )
    return found


def _without(group: Group) -> bool:
    rows = group.findings.rows if group.findings else []
    return any(PRIMARY in row.means and row.means[PRIMARY].low is None for row in rows)
