"""The crossed bootstrap: seeds and test classes resampled independently (Owen 2007).

A class that is drawn brings its images, and they their captions: class means vary by them, drawing
inside again counts them twice (docs/statistics.md). B resamples, S seeds, C classes."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from data_shards import draws
from orchestrator.statistics.scores import Array

RESAMPLES, LEVEL = 3999, 0.05
RANK = round(LEVEL / 2 * (RESAMPLES + 1))  # the 100th from each end bound the 95 % interval


@dataclass(frozen=True)
class Resampled:
    """A statistic, and what it would have been in B resamples, sorted."""

    value: float
    resamples_B: Array

    @property
    def interval(self) -> tuple[float, float]:
        """Its 95 % percentile interval; excludes 0 exactly where `p` ≤ 0.05."""
        return float(self.resamples_B[RANK - 1]), float(self.resamples_B[-RANK])

    @property
    def p(self) -> float:
        """Two-sided, that it is 0: from the resamples on the other side of 0."""
        below, above = np.sum(self.resamples_B <= 0), np.sum(self.resamples_B >= 0)
        return float(min(1.0, 2 * (1 + min(below, above)) / (RESAMPLES + 1)))


def resample(parts: Sequence[tuple[Array, Array]]) -> Resampled:
    """Resample the sum of means over queries, e.g. of R@1 in both directions; of each, (S, C) sums
    over a class' queries and (C,) how many those are."""
    seeds, classes = parts[0][0].shape
    class_BC, seed_BS = _shares(classes, "classes"), 1 / seeds + _stretched(seeds)
    found_B = np.zeros(RESAMPLES)
    for sum_SC, count_C in parts:
        found_B += ((seed_BS @ sum_SC) * class_BC).sum(axis=1) / (class_BC @ count_C)
    value = sum(float(sum_SC.mean(axis=0).sum() / count_C.sum()) for sum_SC, count_C in parts)
    return Resampled(value, np.sort(found_B))


@lru_cache(maxsize=64)
def _shares(count: int, what: str) -> Array:
    """(B, count): how often each is drawn; the same for every table of this size."""
    rng = draws.rng(0, "bootstrap", what, count)
    return np.asarray(rng.multinomial(count, np.full(count, 1 / count), RESAMPLES) / count)


def _stretched(seeds: int) -> Array:
    """(B, S): a bootstrap's deviations are too small by √((n − 1) / n): with few seeds, much."""
    stretch = np.sqrt(seeds / (seeds - 1)) if seeds > 1 else 1.0
    return np.asarray((_shares(seeds, "seeds") - 1 / seeds) * stretch)
