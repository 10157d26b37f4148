"""What a sweep cost: trials, epochs and hours, a line a cell and altogether."""

from collections.abc import Sequence

from orchestrator.report.grid import Grid, Head, Line, number
from orchestrator.report.table import Group, Table
from orchestrator.storage import Record

ALL = "all"
_GPU = (
    "GPU-hours: hours of the trials that ran on a GPU. Trials that share one count in full: it is "
    "an upper limit."
)


def cost_grid(table: Table) -> Grid:
    """Of the recorded trials; a cell that has none costs nothing yet."""
    names = ("trials", "epochs", "seconds an epoch", "hours", "GPU-hours", "dropped samples")
    heads = [Head(group.name, name=name) for group in table.groups for name in names]
    cells = [_line(table, label) for label in table.labels]
    return Grid(
        "cost", "Cost of the recorded trials.", heads, [*cells, _line(table, ALL)], [_GPU],
        stub="cell",
    )  # fmt: skip


def _line(table: Table, label: str) -> Line:
    return Line(
        label, [text for group in table.groups for text in _cost(_records_of(group, label))]
    )


def _records_of(group: Group, label: str) -> list[Record]:
    if label == ALL:
        return list(group.records.values())
    trials = group.trials_of(label)
    return [group.records[trial.id] for trial in trials if trial.id in group.records]


def _cost(records: Sequence[Record]) -> list[str]:
    epochs = sum(len(record["reports"]) for record in records)
    seconds = sum(record["seconds"] for record in records)
    on_gpus = sum(r["seconds"] for r in records if r["environment"].get("device", "cpu") != "cpu")
    return [
        str(len(records)),
        str(epochs),
        number(seconds / epochs if epochs else None, 1),
        number(seconds / 3600),
        number(on_gpus / 3600),
        str(sum(sum(record["dropped"].values()) for record in records)),
    ]
