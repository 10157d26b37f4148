"""Learning curves: a line a cell, its mean over seeds, within a band from the lowest to the
highest."""

from collections.abc import Callable, Sequence
from statistics import fmean
from typing import TYPE_CHECKING, Any

from orchestrator.report.drawing import Picture, canvas, colour, oracle, png, suffix
from orchestrator.report.table import Group

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Report = dict[str, Any]
Read = Callable[[Report], float | None]


def learning(group: Group) -> Picture:
    """Training loss, and the sum of both R@1 of the split that selects, by epoch."""
    figure = canvas(height=4.4)
    loss, score = figure.subplots(1, 2)
    for place, cell in enumerate(group.cells):
        trials = [trial for trial in group.trials_of(cell.label) if trial.id in group.records]
        runs = [group.records[trial.id]["reports"] for trial in trials]
        shade = colour(place, len(group.cells))
        _band(loss, runs, lambda report: report["loss"], color=shade, label=cell.label)
        _band(score, runs, lambda report: report["metrics"].get("r1_sum"), color=shade, label="")
    loss.set(xlabel="epoch", title="training loss")
    score.set(xlabel="epoch", title=f"sum of both R@1, {group.answer.split}", ylim=(0, None))
    for axes in (loss, score):
        axes.grid(alpha=0.3)
        axes.xaxis.get_major_locator().set_params(integer=True)
    handles, names = loss.get_legend_handles_labels()
    figure.legend(handles, names, loc="outside lower center", ncols=3, frameon=False)
    return Picture(
        f"learning{suffix(group)}",
        f"{group.name}: learning curves, the mean of each cell over its seeds{_shaded(group)}"
        f"{oracle(group)}. Losses of different kinds cannot be compared.",
        f"Line plots by epoch of the training loss and of the sum of both R@1 "
        f"({group.answer.split}), a line a cell; {len(group.records)} trials.",
        png(figure),
    )


def _shaded(group: Group) -> str:
    several = any(cell.seeds > 1 for cell in group.cells)
    return "; the band reaches from the lowest to the highest seed" if several else ""


def by_epoch(runs: Sequence[Sequence[Report]], read: Read) -> dict[int, list[float]]:
    """The values that the runs have in each epoch; what a report does not say is left out."""
    found: dict[int, list[float]] = {}
    for report in (report for reports in runs for report in reports):
        if (value := read(report)) is not None:
            found.setdefault(report["epoch"], []).append(value)
    return dict(sorted(found.items()))


def _band(
    axes: "Axes", runs: Sequence[Sequence[Report]], read: Read, *, color: Any, label: str
) -> None:
    values = by_epoch(runs, read)
    if not values:
        return
    low, high = [min(each) for each in values.values()], [max(each) for each in values.values()]
    axes.plot(list(values), [fmean(v) for v in values.values()], ".-", color=color, label=label)
    axes.fill_between(list(values), low, high, color=color, alpha=0.15, lw=0)
