"""Main effects and interactions of a full factorial, as a grid."""

from orchestrator.effects import Effect, effects
from orchestrator.headline import DIRECTIONS, headline
from orchestrator.report.grid import Grid, Line, number
from orchestrator.report.results import heads_of
from orchestrator.report.table import Group, Table
from search_spaces.designs import Design, Factorial, cell_label


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
    grand = Line("grand mean", [number(mean) for mean, _ in columns])
    lines = [
        Line(_label(effect), [number(found[place].value, sign=True) for _, found in columns])
        for place, effect in enumerate(columns[0][1])
    ]
    notes = [
        "A level's main effect: the mean of its cells minus the grand mean. a × b: what the two "
        "add together beyond both main effects. They carry no intervals."
    ]
    heads = heads_of(Table(table.sweep, groups))
    return Grid(
        "effects", "Effects on the test metrics.", heads, [grand, *lines], notes, stub="effect"
    )


def _whole(group: Group) -> int:
    return sum(cell.state == "recorded" for cell in group.cells)


def _columns(group: Group) -> list[tuple[float, list[Effect]]]:
    design: Design = group.question.sweep.design  # type: ignore[assignment]
    assert isinstance(design, Factorial), "asked before"
    found = []
    for direction in DIRECTIONS:
        for metric in headline(group.question.dataset):
            name = f"{direction}_{metric.name}"
            means = {tuple(c.varies.values()): c.values[name].ours or 0.0 for c in group.cells}
            found.append(effects(design.factors, means))
    return found


def _label(effect: Effect) -> str:
    return " × ".join(cell_label({name: level}) for name, level in effect.levels.items())
