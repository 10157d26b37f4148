"""Main effects and interactions of a full factorial, as a grid."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from orchestrator.effects import Effect, effects
from orchestrator.headline import DIRECTIONS, headline
from orchestrator.report.comparing import PRIMARY, interval, p_value
from orchestrator.report.grid import NOTHING, Grid, Head, Line, number
from orchestrator.report.results import heads_of
from orchestrator.report.table import Group, Table
from search_spaces.designs import Design, Factorial, cell_label

if TYPE_CHECKING:
    from orchestrator.statistics.findings import Estimate


def is_factorial(design: object) -> bool:
    """Whether effects can be told apart: at least two factors in all combinations."""
    return isinstance(design, Factorial) and len(design.factors) >= 2


def incomplete(table: Table) -> list[str]:
    """A sentence for each data set of which not every cell is whole: it has no effects."""
    return [
        f"{group.name}: effects need every cell with all its seeds, but {whole} of "
        f"{len(group.cells)} are recorded so."
        for group in table.groups
        if (whole := _whole(group)) < len(group.cells)
    ]


def effects_grid(table: Table) -> Grid | None:
    """Grand mean, main effects and two-way interactions on each headline metric.

    None while no data set has all its cells.
    """
    groups = [group for group in table.groups if _whole(group) == len(group.cells)]
    if not groups:
        return None
    columns = [column for group in groups for column in _columns(group)]
    empty = [NOTHING] * len(groups)
    grand = Line("grand mean", [number(column.grand) for column in columns] + empty)
    lines = [
        Line(
            _label(effect.levels),
            [_text(column, effect.levels) for column in columns]
            + [_primary(group, effect.levels) for group in groups],
        )
        for effect in columns[0].effects
    ]
    notes = [
        "A level's main effect: the mean of its cells minus the grand mean. a × b: what the two "
        "add together beyond both main effects. Intervals: 95 %, by the crossed bootstrap of the "
        "comparisons; effects of records without ranks of single queries have none. p: Holm's "
        "correction over the effects of R@1 sum; a factor's last level follows from the others."
    ]
    heads = heads_of(Table(table.sweep, groups))
    heads = [*heads, *(Head(group.name, name="R@1 sum, p (Holm)") for group in groups)]
    return Grid(
        "effects", "Effects on the test metrics.", heads, [grand, *lines], notes, stub="effect"
    )


def _whole(group: Group) -> int:
    return sum(cell.state == "recorded" for cell in group.cells)


@dataclass(frozen=True)
class _Column:
    """A headline metric of a data set: its grand mean, and every effect with what is known."""

    grand: float
    effects: Sequence[Effect]
    estimates: Mapping[str, "Estimate"]
    """By an effect's label."""


def _text(column: _Column, levels: Mapping[str, Any]) -> str:
    label = _label(levels)
    (point,) = (effect.value for effect in column.effects if _label(effect.levels) == label)
    known = column.estimates.get(label)
    return interval(known, sign=True) if known else number(point, sign=True)


def _primary(group: Group, levels: Mapping[str, Any]) -> str:
    """The effect on R@1 sum, and its corrected p."""
    stated = group.findings.effects if group.findings else []
    own = [effect for effect in stated if _label(effect.levels) == _label(levels)]
    if not own:
        return NOTHING
    p = "" if own[0].p_holm is None else f", {p_value(own[0].p_holm)}"
    return interval(own[0].estimates[PRIMARY], sign=True) + p


def _columns(group: Group) -> list[_Column]:
    design: Design = group.question.sweep.design  # type: ignore[assignment]
    assert isinstance(design, Factorial), "asked before"
    found = []
    for direction in DIRECTIONS:
        for metric in headline(group.question.dataset):
            name = f"{direction}_{metric.name}"
            means = {tuple(c.varies.values()): c.values[name].ours or 0.0 for c in group.cells}
            stated = group.findings.effects if group.findings else []
            known = {_label(e.levels): e.estimates[name] for e in stated if name in e.estimates}
            found.append(_Column(*effects(design.factors, means), known))
    return found


def _label(levels: Mapping[str, Any]) -> str:
    return " × ".join(cell_label({name: level}) for name, level in levels.items())
