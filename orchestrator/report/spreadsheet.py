"""The table as CSV, a line a value; and the trials, a line each."""

import csv
import io
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from orchestrator.headline import DIRECTIONS, every
from orchestrator.report.comparing import PRIMARY
from orchestrator.report.table import Cell, Group, Table

if TYPE_CHECKING:
    from orchestrator.statistics.findings import Compared

_COLUMNS = (
    "dataset", "data", "cell", "direction", "metric", "state", "seeds", "planned", "ours", "sd",
    "chosen_on", "thesis", "difference", "thesis_row", "quoted", "one_checkpoint",
)  # fmt: skip


_COMPARED = (
    "dataset", "data", "cell", "chosen_on", "seeds", "r1_sum", "low", "high", "difference",
    "difference_low", "difference_high", "p", "p_holm", "verdict",
)  # fmt: skip


def cells_csv(table: Table) -> str:
    """A line a data set, cell, direction and metric; what is not recorded or not known is empty."""
    rows = (
        [group.question.dataset, group.question.base.data, *row]
        for group in table.groups
        for cell in group.cells
        for row in _cell_rows(group, cell)
    )
    return _text([_COLUMNS, *rows])


def _cell_rows(group: Group, cell: Cell) -> Iterator[list[Any]]:
    chosen_on = group.question.base.selection
    for direction in DIRECTIONS:
        for metric in every():
            value = cell.values[f"{direction}_{metric.name}"]
            beside = value.thesis is not None
            difference = _rounded(value.over(value.thesis))
            yield [
                cell.label, direction, metric.name, cell.state, cell.seeds, cell.planned,
                _rounded(value.ours), _rounded(value.spread), chosen_on, value.thesis, difference,
                cell.thesis_row if beside else "", cell.quoted if beside else "", value.single,
            ]  # fmt: skip


def _rounded(value: float | None) -> float | None:
    """Without the dust of a binary subtraction."""
    return None if value is None else round(value, 6)


def comparison_csv(table: Table) -> str:
    """A line a data set and cell that has records: R@1 sum and what can be said of it against the
    baseline; percentage points."""
    rows = (
        [group.question.dataset, group.question.base.data, *_compared_row(group, row)]
        for group in table.groups
        if group.findings
        for row in group.findings.rows
    )
    return _text([_COMPARED, *rows])


def _compared_row(group: Group, row: "Compared") -> list[Any]:
    estimates = (row.means.get(PRIMARY), row.differences.get(PRIMARY))
    bounds = [
        _rounded(value)
        for found in estimates
        for value in ((found.value, found.low, found.high) if found else (None, None, None))
    ]
    start = [row.label, group.question.base.selection, row.seeds]
    return [*start, *bounds, _rounded(row.p), _rounded(row.p_holm), row.said]


def trials_csv(table: Table) -> str:
    """A line a trial with all its test metrics."""
    names = [f"{direction}_{metric.name}" for direction in DIRECTIONS for metric in every()]
    axes = list(table.groups[0].trials[0].varies)
    head = ["dataset", "data", "trial_id", *axes, "seed", "state"]
    head += ["epoch", "chosen_on", "selection", "seconds", "dropped", *names]
    return _text([head, *(row for group in table.groups for row in _trial_rows(group, names))])


def _trial_rows(group: Group, names: list[str]) -> Iterator[list[Any]]:
    for trial in group.trials:
        place = [group.question.dataset, group.question.base.data, trial.id]
        start = [*place, *trial.varies.values(), trial.experiment.seed]
        record = group.records.get(trial.id)
        if record is None:
            yield [*start, "missing", *[""] * (5 + len(names))]
            continue
        chosen = record["selection"]
        cost = [record["seconds"], sum(record["dropped"].values())]
        test = [record["test"][name] for name in names]
        yield [
            *start, "recorded", chosen["epoch"], chosen["split"], chosen["value"], *cost, *test,
        ]  # fmt: skip


def _text(rows: Iterable[Iterable[Any]]) -> str:
    stream = io.StringIO()
    csv.writer(stream, lineterminator="\n").writerows(rows)
    return stream.getvalue()
