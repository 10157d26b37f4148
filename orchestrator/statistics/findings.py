"""What a sweep's records allow to claim: means, paired differences, effects, with intervals."""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import fmean
from typing import Any

import numpy as np

from orchestrator.effects import effects
from orchestrator.planning import Question
from orchestrator.statistics.bootstrap import resample
from orchestrator.statistics.cells import CellScores, cells_of, common_seeds, contrast, paired
from orchestrator.statistics.power import components_of
from orchestrator.statistics.scores import PRIMARY, metrics, parts
from orchestrator.statistics.verdicts import Verdict, holm, said, verdict
from orchestrator.storage import Storage
from search_spaces.designs import Factorial


@dataclass(frozen=True)
class Estimate:
    """A value with its 95 % interval, percent or points; None where that is not known."""

    value: float
    low: float | None = None
    high: float | None = None
    p: float | None = None
    """Two-sided, that it is 0; of the same resamples."""

    @property
    def width(self) -> float | None:
        """Half of the interval."""
        return None if self.low is None or self.high is None else (self.high - self.low) / 2


@dataclass(frozen=True)
class Compared:
    """A cell beside the baseline, on the test split."""

    label: str
    varies: Mapping[str, Any]
    seeds: int
    """Recorded seeds that it shares with the baseline."""
    means: Mapping[str, Estimate]
    """Metric → the cell's own mean over its seeds."""
    differences: Mapping[str, Estimate]
    """Metric → cell − baseline over the shared seeds; empty for the baseline itself."""
    p: float | None
    """Of `r1_sum`."""
    p_holm: float | None
    """Corrected for all comparisons of the table."""
    verdict: Verdict | None
    """None for the baseline, and for a cell without a shared seed."""
    said: str


@dataclass(frozen=True)
class EffectFound:
    """A main effect or interaction of a full factorial."""

    levels: Mapping[str, Any]
    estimates: Mapping[str, Estimate]
    p_holm: float | None
    """Of `r1_sum`, corrected for all effects; None for a factor's last level, which follows from
    the others."""


@dataclass(frozen=True)
class Findings:
    """All of it; the baseline is the first row."""

    baseline: str
    rows: list[Compared]
    effects: list[EffectFound]
    oracle: bool
    """The test split chose the epochs."""


def findings(question: Question, storage: Storage) -> Findings:
    """Everything that the records of a question allow to say."""
    cells = {cell.label: cell for cell in cells_of(question, storage)}
    base, *others = cells.values()
    rows = [_compared(cell, base) for cell in others]
    corrected = holm([row.p for row in rows])
    rows = [_judged(row, p, cells) for row, p in zip(rows, corrected, strict=True)]
    own = Compared(
        base.label, base.varies, len(base.tests), _means(base), {}, None, None, None, "baseline"
    )
    oracle = question.base.selection == "test"
    return Findings(base.label, [own, *rows], _effects(question, cells), oracle)


def _compared(cell: CellScores, base: CellScores) -> Compared:
    seeds = common_seeds(cell, base)
    differences = _estimates(
        {cell.label: 1.0, base.label: -1.0}, {c.label: c for c in (cell, base)}
    )
    p = differences[PRIMARY].p if differences else None
    return Compared(
        cell.label, cell.varies, len(seeds), _means(cell), differences, p, None, None, ""
    )


def _judged(row: Compared, p_holm: float | None, cells: Mapping[str, CellScores]) -> Compared:
    """The row with its verdict, once all rows of the table are known."""
    if not row.seeds:
        return replace(row, said=str(Verdict.FEW))
    table = paired(cells[row.label], next(iter(cells.values())), PRIMARY)
    difference = row.differences[PRIMARY]
    found = verdict(difference.value, p_holm, seeds=row.seeds)
    words = said(
        found, seeds=row.seeds, width=difference.width,
        classes=0 if table is None else table.shape[1],
        components=None if table is None else components_of(table),
    )  # fmt: skip
    return replace(row, p_holm=p_holm, verdict=found, said=words)


def _means(cell: CellScores) -> dict[str, Estimate]:
    """A cell's own means; the seeds' stretch may not carry an interval beyond 0 or 100 %."""
    found = _estimates({cell.label: 1.0}, {cell.label: cell})
    return {metric: _within(mean, 100.0 * len(parts(metric))) for metric, mean in found.items()}


def _within(mean: Estimate, most: float) -> Estimate:
    if mean.low is None or mean.high is None:
        return mean
    return replace(mean, low=max(0.0, mean.low), high=min(most, mean.high))


def _estimates(
    weighted: Mapping[str, float], cells: Mapping[str, CellScores]
) -> dict[str, Estimate]:
    """Every metric of a weighted sum of cells, over their common seeds; empty without any."""
    seeds = common_seeds(*(cells[label] for label in weighted))
    if not seeds:
        return {}
    found = {}
    for metric in metrics():
        value = fmean(
            sum(weight * _test(cells[label], seed, metric) for label, weight in weighted.items())
            for seed in seeds
        )
        tables = contrast(weighted, cells, metric) if len(seeds) > 1 else None
        if tables is None:
            found[metric] = Estimate(value)
        else:
            drawn = resample(tables)
            found[metric] = Estimate(value, *drawn.interval, drawn.p)
    return found


def _test(cell: CellScores, seed: int, metric: str) -> float:
    test = cell.tests[seed]
    return test["s2i_r1"] + test["i2s_r1"] if metric == PRIMARY else test.get(metric, np.nan)


def _effects(question: Question, cells: Mapping[str, CellScores]) -> list[EffectFound]:
    """None unless at least two factors are crossed, all cells are there (a budget may have cut
    some) and share a seed."""
    design = question.sweep.design
    if not isinstance(design, Factorial) or len(design.factors) < 2:
        return []
    places = {tuple(cell.varies.values()): label for label, cell in cells.items()}
    whole = set(itertools.product(*design.factors.values()))
    if set(places) != whole or not common_seeds(*cells.values()):
        return []
    units = {
        label: effects(design.factors, {each: float(each == place) for each in places})[1]
        for place, label in places.items()
    }  # an effect is a weighted sum of cells: its weights are its values where one cell is 1
    names = [effect.levels for effect in next(iter(units.values()))]
    found = [
        _estimates({label: units[label][number].value for label in units}, cells)
        for number in range(len(names))
    ]
    last = {name: levels[-1] for name, levels in design.factors.items()}
    return _corrected(names, found, last)


def _corrected(
    names: Sequence[Mapping[str, Any]],
    found: Sequence[Mapping[str, Estimate]],
    last: Mapping[str, Any],
) -> list[EffectFound]:
    """Holm over the effects that can vary freely: those of a factor's levels add up to 0, so that
    its last level says nothing new and has no p of its own.

    Args:
        last: each factor's last level.
    """
    free = [all(last[name] != level for name, level in levels.items()) for levels in names]
    ps = holm([each[PRIMARY].p if f else None for each, f in zip(found, free, strict=True)])
    return [EffectFound(*each) for each in zip(names, found, ps, strict=True)]
