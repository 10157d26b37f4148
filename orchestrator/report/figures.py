"""The pictures of a report as PNG: ours beside the thesis', differences, curve, learning."""

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from orchestrator.answers import DIRECTIONS as DIRECTION_NAMES
from orchestrator.answers import Bands, plot_curve
from orchestrator.headline import DIRECTIONS
from orchestrator.report.drawing import Picture, canvas, oracle, png, suffix
from orchestrator.report.forest import forest
from orchestrator.report.grid import number
from orchestrator.report.learning import learning
from orchestrator.report.table import Group, Table
from search_spaces.designs import Refine

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def pictures(table: Table) -> list[Picture]:
    """All pictures for which there are records."""
    recorded = [group for group in table.groups if group.records]
    drawn = [picture for group in recorded if (picture := forest(group))]
    drawn += [_dots(group, table) for group in recorded]
    curved = isinstance(table.sweep.design, Refine)
    drawn += [_curve(group) for group in recorded if curved and group.answer.best]
    return drawn + [learning(group) for group in recorded]


def _curve(group: Group) -> Picture:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "curve.png"
        bands = _bands(group)
        plot_curve(group.answer, path, bands)
        content = path.read_bytes()
    best = group.answer.best
    assert best is not None, "its caller asked"
    (name,) = group.question.sweep.design.fields
    return Picture(
        f"curve{suffix(group)}",
        f"{group.name}: R@1 and the score that chooses, against {name}"
        f"{'; shaded: 95 % interval over seeds and test classes' if bands else ''}"
        f"{oracle(group)}.",
        f"Curves of R@1 in both directions against {name}; the best is {best.label}, chosen by "
        f"{group.answer.split}.",
        content,
    )


def _bands(group: Group) -> Bands:
    rows = group.findings.rows if group.findings else []
    known = {
        row.label: {
            name: (mean.low, mean.high)
            for name, mean in row.means.items()
            if mean.low is not None and mean.high is not None
        }
        for row in rows
    }
    return {label: bands for label, bands in known.items() if bands}


def _dots(group: Group, table: Table) -> Picture:
    """R@1 of every cell: ours filled, with its spread, the thesis' hollow, chance dotted."""
    labels = [label for label in table.labels if group.cell(label)]
    figure = canvas(height=1.6 + 0.34 * len(labels))
    panels = figure.subplots(1, 2, sharey=True)
    for axes, direction in zip(panels, DIRECTIONS, strict=True):
        _dot_panel(axes, group, labels, direction)
    panels[0].set_yticks(range(len(labels)), labels)
    panels[0].invert_yaxis()
    handles, names = panels[0].get_legend_handles_labels()
    figure.legend(handles[::-1], names[::-1], loc="outside lower center", ncols=3, frameon=False)
    thesis = any(cell.has_thesis for cell in group.cells)
    beside = " beside the thesis'" if thesis else ""
    shown = (
        f"{cell.label} {' and '.join(number(cell.values[f'{d}_r1'].ours, 1) for d in DIRECTIONS)}"
        for cell in group.cells
        if cell.seeds
    )
    return Picture(
        f"dots{suffix(group)}",
        f"{group.name}: R@1 on the test split, percent{beside}{oracle(group)}.",
        f"Dot plot of R@1{beside}, speech→image and image→speech: {'; '.join(shown)} percent.",
        png(figure),
    )


def _dot_panel(axes: "Axes", group: Group, labels: Sequence[str], direction: str) -> None:
    rows = [(place, cell) for place, label in enumerate(labels) if (cell := group.cell(label))]
    values = [(place, cell.values[f"{direction}_r1"]) for place, cell in rows]
    ours = [(v.ours, place, v.spread or 0.0) for place, v in values if v.ours is not None]
    thesis = [(v.thesis, place) for place, v in values if v.thesis is not None]
    x, y, spread = (list(column) for column in zip(*ours, strict=True))
    axes.errorbar(x, y, xerr=spread, fmt="o", color="C0", capsize=3, label="here")
    if thesis:
        axes.plot(*zip(*thesis, strict=True), "D", mfc="none", color="C1", label="thesis")
    chance = next(c.values[f"{direction}_chance"].ours for c in group.cells if c.seeds)
    axes.axvline(chance or 0.0, ls=":", color="grey", label="chance")
    axes.set_title(f"{DIRECTION_NAMES[direction]}, R@1 %")
    axes.margins(x=0.08)
    axes.set_xlim(left=0)
    axes.set_ylim(-0.6, len(labels) - 0.4)
    axes.grid(axis="x", alpha=0.3)
