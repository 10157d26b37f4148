"""The pictures of a report as PNG: curve, ours beside the thesis', learning curves."""

import io
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from orchestrator.answers import DIRECTIONS as DIRECTION_NAMES
from orchestrator.answers import plot_curve
from orchestrator.headline import DIRECTIONS
from orchestrator.report.grid import number
from orchestrator.report.table import Group, Table
from search_spaces.designs import Refine

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class Picture:
    """A PNG with its words: `name` ends its file's name, `alt` says what is to be seen."""

    name: str
    caption: str
    alt: str
    content: bytes


def pictures(table: Table) -> list[Picture]:
    """All pictures for which there are records."""
    recorded = [group for group in table.groups if group.records]
    drawn = [_dots(group, table) for group in recorded]
    curved = isinstance(table.sweep.design, Refine)
    drawn += [_curve(group) for group in recorded if curved and group.answer.best]
    return drawn + [_learning(group) for group in recorded]


def _curve(group: Group) -> Picture:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "curve.png"
        plot_curve(group.answer, path)
        content = path.read_bytes()
    best = group.answer.best
    assert best is not None, "its caller asked"
    (name,) = group.question.sweep.design.fields
    return Picture(
        f"curve{_suffix(group)}",
        f"{group.name}: R@1 and the score that chooses, against {name}.",
        f"Curves of R@1 in both directions against {name}; the best is {best.label}, chosen by "
        f"{group.answer.split}.",
        content,
    )


def _dots(group: Group, table: Table) -> Picture:
    """R@1 of every cell: ours filled, with its spread, the thesis' hollow, chance dotted."""
    labels = [label for label in table.labels if group.cell(label)]
    figure = _figure(height=1.6 + 0.34 * len(labels))
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
        f"dots{_suffix(group)}",
        f"{group.name}: R@1 on the test split, percent{beside}{_oracle(group)}.",
        f"Dot plot of R@1{beside}, speech→image and image→speech: {'; '.join(shown)} percent.",
        _png(figure),
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


def _learning(group: Group) -> Picture:
    """A line a trial, a colour a cell: loss, and the sum of both R@1 of the split that selects."""
    from matplotlib import colormaps

    figure = _figure(height=4.2)
    loss, score = figure.subplots(1, 2)
    colours = colormaps["tab20" if len(group.cells) > 10 else "tab10"].colors  # type: ignore[attr-defined]
    for place, cell in enumerate(group.cells):
        trials = [trial for trial in group.trials_of(cell.label) if trial.id in group.records]
        for count, trial in enumerate(trials):
            reports = group.records[trial.id]["reports"]
            style: dict[str, Any] = {"color": colours[place % len(colours)], "marker": "."}
            style |= {"label": cell.label} if not count else {"alpha": 0.6}
            epochs = [report["epoch"] for report in reports]
            loss.plot(epochs, [report["loss"] for report in reports], **style)
            sums = [report["metrics"].get("r1_sum", float("nan")) for report in reports]
            score.plot(epochs, sums, **style)
    loss.set(xlabel="epoch", title="training loss")
    score.set(xlabel="epoch", title=f"sum of both R@1, {group.answer.split}", ylim=(0, None))
    for axes in (loss, score):
        axes.grid(alpha=0.3)
        axes.xaxis.get_major_locator().set_params(integer=True)
    handles, names = loss.get_legend_handles_labels()
    figure.legend(handles, names, loc="outside lower center", ncols=3, frameon=False)
    return Picture(
        f"learning{_suffix(group)}",
        f"{group.name}: learning curves, a line a trial{_oracle(group)}. Losses of different "
        "kinds cannot be compared.",
        f"Line plots by epoch of the training loss and of the sum of both R@1 "
        f"({group.answer.split}) of {len(group.records)} trials.",
        _png(figure),
    )


def _figure(*, height: float) -> "Figure":
    from matplotlib.figure import Figure  # without pyplot: no display, no global state

    return Figure(figsize=(9, height), layout="constrained")


def _png(figure: "Figure") -> bytes:
    stream = io.BytesIO()
    figure.savefig(stream, format="png", dpi=120)
    return stream.getvalue()


def _oracle(group: Group) -> str:
    return " [oracle: chosen on the test split]" if group.answer.oracle else ""


def _suffix(group: Group) -> str:
    """Of a file's name: the data set, and which one of several of it."""
    return "-" + group.name.replace(" [", "-").rstrip("]")
