"""Verdicts: what a difference, its p and its number of seeds allow to say."""

from collections.abc import Sequence
from enum import StrEnum

from statsmodels.stats.multitest import multipletests

from orchestrator.statistics.power import FEWEST, TYPICAL, Components, half_width

LEVEL = 0.05


class Verdict(StrEnum):
    """Of a cell against the baseline."""

    BETTER = "better"
    WORSE = "worse"
    NONE = "no difference shown"
    FEW = "not enough data"


def holm(ps: Sequence[float | None]) -> list[float | None]:
    """p-values corrected for a table's comparisons (Holm 1979); None where there is none."""
    known = [p for p in ps if p is not None]
    corrected = iter(multipletests(known, method="holm")[1] if known else [])
    return [None if p is None else float(next(corrected)) for p in ps]


def verdict(difference: float, p_holm: float | None, *, seeds: int) -> Verdict:
    """Better or worse only with at least 5 paired seeds and a corrected p of at most 0.05."""
    if seeds < FEWEST or p_holm is None:
        return Verdict.FEW
    if p_holm > LEVEL:
        return Verdict.NONE
    return Verdict.BETTER if difference > 0 else Verdict.WORSE


def said(
    found: Verdict, *, seeds: int, classes: int, components: Components | None, width: float | None
) -> str:
    """The verdict in words, with what more seeds would show.

    Args:
        classes: test classes; 0 where they are not known.
        components: variances of the difference, where they could be estimated.
        width: half of its interval, points.
    """
    if found is Verdict.NONE and width is not None:
        return f"{found} (±{width:.1f}{_at_best(components, classes)})"
    if found is not Verdict.FEW:
        return str(found)
    missing = max(0, FEWEST - seeds)
    if not missing:
        return str(found)
    more = f"{missing} more seed{'' if missing == 1 else 's'}"
    if not classes:
        return f"{found} ({more})"
    about = "" if components else "about "
    shown = half_width(components or TYPICAL, seeds=FEWEST, classes=classes)
    return f"{found} ({more} would show {about}±{shown:.1f})"


def _at_best(components: Components | None, classes: int) -> str:
    """What no number of seeds would improve on: how the classes differ."""
    if not components or not classes:
        return ""
    return f"; with endless seeds ±{half_width(components, seeds=10**9, classes=classes):.1f}"
