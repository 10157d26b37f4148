"""How a trial learned: loss and R@1 against epochs."""

from typing import TYPE_CHECKING

from matplotlib.ticker import MaxNLocator

from orchestrator import curves
from orchestrator.pictures.subject import Subject

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SPLITS = {"val": "validation classes", "test": "test classes (oracle)"}


def draw(subject: Subject) -> "Figure":
    """The curves of the record, with chance and the epoch that was chosen."""
    record = subject.record
    figure = curves.figure(record["reports"], title=f"How it learned: {subject.where}")
    loss, recall = figure.axes
    figure.set_size_inches(9, 4)  # room for a title above each
    loss.set_title("training loss", fontsize=9)
    chosen = record["selection"]["epoch"]
    for axes in (loss, recall):
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.axvline(chosen, color="grey", lw=0.8)
        axes.grid(alpha=0.3)
    split = SPLITS.get(record["selection"]["split"])
    if split is None:
        recall.set_title("no classes were held out: the last epoch counts", fontsize=9)
        return figure
    for key, colour in (("s2i", "C0"), ("i2s", "C1")):
        chance = record["reports"][-1]["metrics"][f"{key}_chance"]
        recall.axhline(chance, ls=":", color=colour)
    recall.set_title(f"{split}; dotted: chance; epoch {chosen} was chosen", fontsize=9)
    return figure
