"""Findings for the terminal and for JSON; reports have tables of their own."""

from typing import Any

from orchestrator.statistics.findings import Compared, Estimate, Findings
from orchestrator.statistics.scores import PRIMARY


def lines(found: Findings) -> list[str]:
    """A line a comparison: the difference with its interval, p, the verdict; none for one cell."""
    rows = [row for row in found.rows if PRIMARY in row.differences]
    if not rows:
        return []
    head = f"R@1 sum on the test split, against {found.baseline}"
    oracle = " [oracle: epochs chosen on the test split]" if found.oracle else ""
    return [f"{head}{oracle}:", *(f"  {row.label:24} {_difference(row)}" for row in rows)]


def _difference(row: Compared) -> str:
    difference = row.differences[PRIMARY]
    known = (
        f" [{difference.low:+.1f}, {difference.high:+.1f}]" if difference.low is not None else ""
    )
    p = "" if row.p_holm is None else f", p = {row.p_holm:.3f} (Holm)"
    return f"{difference.value:+.1f}{known}{p}: {row.said}"


def as_dict(found: Findings) -> dict[str, Any]:
    """For machines: R@1 sum of each cell, and its difference from the baseline."""
    rows = [
        {
            "cell": row.label, "seeds": row.seeds, "mean": _value(row.means.get(PRIMARY)),
            "difference": _value(row.differences.get(PRIMARY)), "p_holm": row.p_holm,
            "verdict": row.verdict and str(row.verdict), "said": row.said,
        }
        for row in found.rows
    ]  # fmt: skip
    return {
        "metric": PRIMARY, "baseline": found.baseline, "oracle": found.oracle, "rows": rows,
    }  # fmt: skip


def _value(estimate: Estimate | None) -> dict[str, float | None] | None:
    if estimate is None:
        return None
    return {"value": estimate.value, "low": estimate.low, "high": estimate.high}
