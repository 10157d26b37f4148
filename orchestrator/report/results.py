"""A report's tables of results as grids: ours beside the thesis', and what else was measured."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from orchestrator.answers import DIRECTIONS as DIRECTION_NAMES
from orchestrator.headline import DIRECTIONS, Metric, further, headline
from orchestrator.report.grid import MISSING, NOTHING, Grid, Head, Line, number
from orchestrator.report.table import Cell, Group, Table, Value

if TYPE_CHECKING:
    from orchestrator.statistics.findings import Estimate

HERE = "here"
INTERVAL = "95 % interval"


def headline_grid(table: Table) -> Grid:
    """Ours, the thesis' and the difference, a line each, of every cell."""
    heads = [head for group in table.groups for head in _heads(group, headline, "seeds")]
    lines = [line for label in table.labels for line in _lines(table, label)]
    return Grid("headline", _caption(table), heads, lines, _notes(table), stub="cell")


def further_grid(table: Table) -> Grid:
    """What is shown too, for which the thesis has no value."""
    heads = [head for group in table.groups for head in _heads(group, further, _chosen_by(group))]
    lines = [
        Line(label, _texts(table, label, further, _ours, _selection)) for label in table.labels
    ]
    notes = [
        "mAP@50 divides by min(50, relevant), mAP@50 (hits) by the hits in the top 50; chance is "
        "that of R@1. No value of the thesis stands here."
    ]
    caption = "Further metrics of the test split, percent."
    return Grid("further", caption, heads, lines, notes, stub="cell")


def heads_of(table: Table) -> list[Head]:
    """Heads of the headline metrics alone."""
    return [head for group in table.groups for head in _heads(group, headline, "")]


def _heads(group: Group, metrics: Callable[[str], list[Metric]], first: str) -> list[Head]:
    """A column for what all directions share, then the metrics of both directions."""
    own = [
        Head(group.name, DIRECTION_NAMES[direction], metric.head)
        for direction in DIRECTIONS
        for metric in metrics(group.question.dataset)
    ]
    return [Head(group.name, "", first), *own] if first else own


def _chosen_by(group: Group) -> str:
    return f"R@1 sum, {group.answer.split}"


def _lines(table: Table, label: str) -> list[Line]:
    cells = [cell for group in table.groups if (cell := group.cell(label))]
    known = any(mean for each in table.labels for mean in _intervals(table, each))
    kind = HERE if table.has_thesis or known else ""
    lines = [Line(label, _texts(table, label, headline, _ours, _seeds), kind)]
    if any(intervals := _intervals(table, label)):
        lines.append(Line(label, intervals, INTERVAL))
    if any(cell.has_thesis for cell in cells):
        mark = " †" if any(cell.quoted for cell in cells) else ""
        lines += _beside(table, label, _source(table) + mark, lambda value: value.thesis)
    if any(value.single is not None for cell in cells for value in cell.values.values()):
        lines += _beside(table, label, "one checkpoint ‡", lambda value: value.single)
    return lines


def _intervals(table: Table, label: str) -> list[str]:
    """Of the cell's means, where they are known."""
    found: list[str] = []
    for group in table.groups:
        row = group.compared(label)
        means = row.means if row else {}
        found.append("")
        for direction in DIRECTIONS:
            for metric in headline(group.question.dataset):
                mean = means.get(f"{direction}_{metric.name}")
                found.append(_bounds(mean, metric.decimals) if mean else "")
    return found


def _bounds(mean: "Estimate", decimals: int) -> str:
    if mean.low is None or mean.high is None:
        return ""
    return f"[{number(mean.low, decimals)}, {number(mean.high, decimals)}]"


def _beside(
    table: Table, label: str, kind: str, theirs: Callable[[Value], float | None]
) -> list[Line]:
    """Their values, and ours minus theirs."""

    def shown(value: Value, metric: Metric) -> str:
        return number(theirs(value), metric.decimals)

    def difference(value: Value, metric: Metric) -> str:
        return number(value.over(theirs(value)), metric.decimals, sign=True)

    def nothing(cell: Cell | None) -> str:
        return ""

    return [
        Line(label, _texts(table, label, headline, shown, nothing), kind),
        Line(label, _texts(table, label, headline, difference, nothing), f"{HERE} − {kind}"),
    ]


def _texts(
    table: Table,
    label: str,
    metrics: Callable[[str], list[Metric]],
    show: Callable[[Value, Metric], str],
    first: Callable[[Cell | None], str],
) -> list[str]:
    found: list[str] = []
    for group in table.groups:
        own = metrics(group.question.dataset)
        cell = group.cell(label)
        places = [
            (f"{direction}_{metric.name}", metric) for direction in DIRECTIONS for metric in own
        ]
        found.append(first(cell))
        found += [show(cell.values[name], m) if cell else NOTHING for name, m in places]
    return found


def _ours(value: Value, metric: Metric) -> str:
    if value.ours is None:
        return MISSING
    spread = "" if value.spread is None else f" ± {number(value.spread, metric.decimals)}"
    return number(value.ours, metric.decimals) + spread


def _seeds(cell: Cell | None) -> str:
    if cell is None:
        return "not planned"
    return str(cell.seeds) if cell.state == "recorded" else f"{cell.seeds} of {cell.planned} seeds"


def _selection(cell: Cell | None) -> str:
    return number(cell.selection if cell else None)


def _source(table: Table) -> str:
    return "thesis" if table.sweep.table.startswith("table_") else "author's log"


def source_name(table: Table) -> str:
    """E.g. `Table 5.6`."""
    name = table.sweep.table
    if not name.startswith("table_"):
        return "the author's own logs (Figures 5.1–5.2)"
    return "Table " + name.removeprefix("table_").replace("_", ".")


def _caption(table: Table) -> str:
    spread = any(group.question.seeds > 1 for group in table.groups)
    ours = "mean over seeds ± standard deviation (n − 1)" if spread else "one seed"
    oracle = " [oracle: chosen on the test split]" if table.groups[0].answer.oracle else ""
    shown = {metric for group in table.groups for metric in headline(group.question.dataset)}
    rank = "; med r is a rank, the lower the better" if any(m.name == "medr" for m in shown) else ""
    return f"{table.sweep.question} Test split, {ours}; percent{rank}.{oracle}"


def _notes(table: Table) -> list[str]:
    cells = [cell for group in table.groups for cell in group.cells]
    notes = []
    if any(cell.state != "recorded" for cell in cells):
        notes.append("missing: not recorded yet; it is no zero.")
    if table.has_thesis:
        notes.append(
            f"{_source(table)}: {source_name(table)}. mAP@50 (thesis) is map50_thesis, the "
            "definition that its author computed; its values may stand beside no other mAP@50."
        )
    if any(cell.quoted and cell.has_thesis for cell in cells):
        notes.append("†: quoted in the thesis from the method's own paper, not run for it.")
    if any(value.single is not None for cell in cells for value in cell.values.values()):
        notes.append(
            "‡: the printed row for Oxford-102 mixes two checkpoints; this is what one (γ = 13, "
            "epoch 60) gave in its author's log."
        )
    return notes
