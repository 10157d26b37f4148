"""What a packed data set holds: the thesis' Table 3.1 and Figures 3.2 and 3.4 for it."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from data_shards.manifest import SPLITS, Manifest, Split

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_COLOURS = {"train": "tab:blue", "val": "tab:green", "test": "tab:orange"}


@dataclass(frozen=True)
class Row:
    """One line of the table; the last is the total."""

    split: str
    classes: int
    images: int
    captions: int


def table(manifest: Manifest) -> list[Row]:
    """Classes, images and captions of each split, and of all (thesis Table 3.1)."""
    rows = [
        Row(name, len(split.classes), split.samples, split.captions)
        for name, split in _ordered(manifest)
    ]
    total = Row(
        "total",
        sum(row.classes for row in rows),
        sum(row.images for row in rows),
        sum(row.captions for row in rows),
    )
    return [*rows, total]


def _ordered(manifest: Manifest) -> list[tuple[str, Split]]:
    return [(name, manifest.splits[name]) for name in SPLITS if name in manifest.splits]


def plot_histogram(manifest: Manifest, path: Path) -> None:
    """Write a picture of the number of images of each class (thesis Figures 3.2 and 3.4)."""
    from matplotlib.figure import Figure  # Figure alone draws without a display
    from matplotlib.ticker import MaxNLocator

    count = max(1, sum(len(split.classes) for split in manifest.splits.values()))
    figure = Figure(figsize=(max(6.0, 0.16 * count + 1), 4.5), layout="constrained")
    axes = figure.add_subplot()
    _bars(axes, manifest=manifest)
    axes.set_xlabel("class")
    axes.set_ylabel("images")
    axes.set_title(f"{manifest.dataset}: images of each class", loc="left")
    axes.yaxis.set_major_locator(MaxNLocator(integer=True))
    figure.legend(loc="outside upper right", ncols=3)
    figure.savefig(path, dpi=150)


def _bars(axes: "Axes", *, manifest: Manifest) -> None:
    ids = sorted(count.id for split in manifest.splits.values() for count in split.classes)
    place = {class_id: index for index, class_id in enumerate(ids)}
    for name, split in _ordered(manifest):
        places = [place[count.id] for count in split.classes]
        heights = [count.images for count in split.classes]
        label = f"{name} ({len(heights)} classes)"
        axes.bar(places, heights, color=_COLOURS.get(name), label=label)
    axes.set_xticks(range(len(ids)), labels=list(map(str, ids)), rotation=90, fontsize=7)
    axes.set_xlim(-1, len(ids))
