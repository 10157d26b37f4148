"""Do the intervals hold what they promise? Coverage and family-wise error, by simulation."""

from collections.abc import Iterator

import numpy as np

from benchmarks.figures import Figure
from benchmarks.simulated import SETTINGS, Setting, cells
from orchestrator.statistics.bootstrap import Resampled, resample
from orchestrator.statistics.cells import CellScores, contrast
from orchestrator.statistics.scores import PRIMARY
from orchestrator.statistics.verdicts import Verdict, holm, verdict

TABLES = 1000
SIZES = ((10, 20), (5, 20), (10, 50), (5, 50))
"""Seeds and classes."""


def measure() -> Iterator[Figure]:
    """Coverage of 95 % intervals, and the share of tables that claim a difference of none."""
    for seeds, classes in SIZES:
        for name, setting in SETTINGS.items():
            covered, claimed = coverage(setting, seeds=seeds, classes=classes)
            size = f"{seeds} seeds, {classes} classes; {name}"
            at_10_20 = (seeds, classes) == (10, 20)
            yield Figure(
                what=f"coverage of the 95 % interval ({size})", value=100 * covered, unit="%",
                at_least=91 if at_10_20 else None, note=f"{TABLES:,} simulated tables",
            )  # fmt: skip
            yield Figure(
                what=f"tables with any false claim among three ({size})", value=100 * claimed,
                unit="%", at_most=6 if at_10_20 else None, note="Holm, 5 %",
            )  # fmt: skip


def coverage(
    setting: Setting, *, seeds: int, classes: int, tables: int = TABLES
) -> tuple[float, float]:
    """Shares of simulated tables of four cells without any true difference: of those whose first
    interval holds 0, and of those with a verdict better or worse on any of three rows."""
    rng = np.random.default_rng(seeds * classes)
    covered = claimed = 0
    for _ in range(tables):
        base, *others = cells(rng, setting, count=4, seeds=seeds, classes=classes)
        found = [difference(cell, base) for cell in others]
        low, high = found[0].interval
        covered += low <= 0 <= high
        ps = holm([each.p for each in found])
        said = [verdict(d.value, p, seeds=seeds) for d, p in zip(found, ps, strict=True)]
        claimed += any(each in (Verdict.BETTER, Verdict.WORSE) for each in said)
    return covered / tables, claimed / tables


def difference(cell: CellScores, base: CellScores) -> Resampled:
    """Of R@1 sum, as `findings` has it."""
    both = {"cell": cell, "base": base}
    tables = contrast({"cell": 1.0, "base": -1.0}, both, PRIMARY)
    assert tables is not None
    return resample(tables)
