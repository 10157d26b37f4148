"""The forest plot: each cell's difference from the baseline with its interval."""

from typing import TYPE_CHECKING

from orchestrator.report.comparing import PRIMARY, interval
from orchestrator.report.drawing import Picture, canvas, oracle, png, suffix
from orchestrator.report.table import Group

if TYPE_CHECKING:
    from orchestrator.statistics.findings import Estimate

_WHERE = "difference of R@1 sum, percentage points (right of 0: better than the baseline)"


def forest(group: Group) -> Picture | None:
    """None where no difference is known."""
    if group.findings is None:
        return None
    rows = [row for row in group.findings.rows if PRIMARY in row.differences]
    return _drawn(group, {row.label: row.differences[PRIMARY] for row in rows}) if rows else None


def _drawn(group: Group, differences: "dict[str, Estimate]") -> Picture:
    assert group.findings is not None, "its caller asked"
    figure = canvas(height=1.3 + 0.36 * len(differences))
    axes = figure.subplots()
    axes.axvline(0, color="black", lw=0.8)
    for place, each in enumerate(differences.values()):
        if each.low is not None and each.high is not None:
            axes.plot([each.low, each.high], [place, place], "-", color="C0", lw=2)
        axes.plot(each.value, place, "s", color="C0", ms=7)
    axes.set_yticks(range(len(differences)), list(differences))
    axes.set_ylim(len(differences) - 0.4, -0.6)
    axes.set_xlabel(_WHERE)
    axes.grid(axis="x", alpha=0.3)
    axes.margins(x=0.08)
    said = "; ".join(f"{name} {interval(d, 1, sign=True)}" for name, d in differences.items())
    base = group.findings.baseline
    return Picture(
        f"forest{suffix(group)}",
        f"{group.name}: difference from {base} with its 95 % interval, each for itself; the "
        f"verdicts above are corrected for all comparisons{oracle(group)}.",
        f"Forest plot of the differences of R@1 sum from {base}, in points: {said}.",
        png(figure),
    )
