"""A trial's curves, from its reports: as CSV and as a picture."""

import csv
import io
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from orchestrator.first_import import FIRST_IMPORT

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Report = dict[str, Any]


def flat(report: Report) -> dict[str, float]:
    """The numbers of one report by name; the metrics stand beside the rest."""
    own = {key: value for key, value in report.items() if key not in ("metrics", "time")}
    metrics: dict[str, float] = report["metrics"]
    return own | metrics


def as_csv(reports: Sequence[Report]) -> str:
    """One line an epoch, one column a number."""
    rows = [flat(report) for report in reports]
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=list(rows[0]) if rows else [], lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def figure(reports: Sequence[Report], *, title: str) -> "Figure":
    """Loss, and R@1 in both directions, over the epochs. Drawn without a screen (Agg)."""
    with FIRST_IMPORT:
        from matplotlib.figure import Figure  # half a second, and only here

    drawing = Figure(figsize=(9, 3.5))
    # Matplotlib's own layout engines draw everything twice: half of what tracking costs a trial.
    room = {"left": 0.07, "right": 0.98, "bottom": 0.14, "top": 0.88}
    loss, recall = drawing.subplots(1, 2, gridspec_kw=room)
    epochs = [report["epoch"] for report in reports]
    loss.plot(epochs, [report["loss"] for report in reports], marker=".")
    loss.set(xlabel="epoch", ylabel="loss")
    for name, label in (("s2i_r1", "speech → image"), ("i2s_r1", "image → speech")):
        values = [report["metrics"].get(name, float("nan")) for report in reports]
        recall.plot(epochs, values, marker=".", label=label)
    recall.set(xlabel="epoch", ylabel="R@1, %", ylim=(0, None))
    recall.legend()
    drawing.suptitle(title)
    return drawing
