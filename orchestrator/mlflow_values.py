"""What MLflow gets of reports and records, as plain values: it is imported only where it is sent.

Every metric carries the time of its report, so that one which is sent again adds nothing.
"""

import math
import time
from collections.abc import Sequence

from orchestrator import curves
from orchestrator.storage import Record
from search_spaces.designs import Trial

LONGEST_VALUE = 500  # what every MLflow version takes

Metric = tuple[str, float, int, int]
"""Name, value, milliseconds, step."""


def metrics(report: curves.Report) -> list[Metric]:
    """`epoch` comes last: where it has arrived, all of its epoch has."""
    at, step = milliseconds(report["time"]), report["epoch"]
    values = curves.flat(report)
    values["epoch"] = values.pop("epoch")
    return [(key, float(value), at, step) for key, value in values.items()]


def final_metrics(record: Record) -> list[Metric]:
    """`best_*`: the selection's metrics at the chosen epoch; `test_*`: the test split's."""
    epoch, reports = record["selection"]["epoch"], record["reports"]
    chosen: dict[str, float] = next((r["metrics"] for r in reports if r["epoch"] == epoch), {})
    values = {"best_epoch": epoch}
    values |= {f"best_{key}": value for key, value in chosen.items()}
    values |= {f"test_{key}": value for key, value in record["test"].items()}
    values |= {f"dropped_{split}": count for split, count in record["dropped"].items()}
    at = last(reports) or 0
    # all at step 0: MLflow then compares the runs in one bar chart a metric
    return [(key, float(value), at, 0) for key, value in values.items()]


def parameters(trial: Trial) -> list[tuple[str, str]]:
    """The fields of the experiment, and a variant's name: what the UI's charts can have as axes."""
    fields = dict(trial.varies) | trial.experiment.flat()
    return [(key, str(value)[:LONGEST_VALUE]) for key, value in fields.items()]


def cell_tags(trial: Trial) -> dict[str, str]:
    """What a run is found and grouped by: its replicates share a cell."""
    cell = {"cell": trial.cell} if trial.cell else {}
    return cell | {"seed": str(trial.experiment.seed)}


def tags(record: Record) -> list[tuple[str, str]]:
    """Where a trial ran, and on which split it was chosen."""
    where = record["environment"]
    found = [
        (f"vfsel.{key}", str(where[key])) for key in ("code", "host", "device") if key in where
    ]
    oracle = record["selection"]["split"] == "test"  # the author's practice, labelled everywhere
    split = "oracle (test)" if oracle else record["selection"]["split"]
    return [*found, ("vfsel.chosen_on", split)]


def last(reports: Sequence[curves.Report]) -> int | None:
    """When the last report was made, milliseconds."""
    return milliseconds(reports[-1]["time"]) if reports else None


def milliseconds(seconds: float) -> int:
    """MLflow's unit of time."""
    return math.floor(seconds * 1000)


def now() -> int:
    """This moment, milliseconds."""
    return milliseconds(time.time())
