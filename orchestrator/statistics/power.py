"""What a number of seeds and classes can show, from how much differences vary between them.

A paired difference of seed s on class c: d = effect + seed_s + class_c + rest_sc, two crossed
random effects (Montgomery, Design and Analysis of Experiments, §13.2). More seeds shrink the
seeds' part only: the classes' part stays however many seeds are run.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import stats

from orchestrator.statistics.scores import PRIMARY, Array

if TYPE_CHECKING:
    from orchestrator.planning import Question
    from orchestrator.storage import Storage

LEVEL, POWER = 0.05, 0.8
FEWEST = 5
"""Seeds below which nothing is decided: the bootstrap knows too little of how seeds vary."""


@dataclass(frozen=True)
class Components:
    """Variances of a paired difference of R@1 sum, points squared."""

    seed: float
    class_: float
    rest: float

    def error(self, *, seeds: int, classes: int) -> float:
        """Standard error of the mean difference."""
        return float(np.sqrt(self._crossed(seeds, classes) + self.rest / (seeds * classes)))

    def bootstrap_error(self, *, seeds: int, classes: int) -> float:
        """What the crossed bootstrap takes for it: the rest counts three times (Owen 2007)."""
        return float(np.sqrt(self._crossed(seeds, classes) + 3 * self.rest / (seeds * classes)))

    def _crossed(self, seeds: int, classes: int) -> float:
        return self.seed / seeds + self.class_ / classes


TYPICAL = Components(seed=10.0, class_=300.0, rest=1100.0)
"""Measured between attention placements on the built-in data (preset demo, 3 epochs, 5 seeds, 20
classes of 10 images); the seeds' part was too small there to be told from 0."""


@dataclass(frozen=True)
class Power:
    """The smallest difference of R@1 sum (points) that is found 4 times of 5."""

    points: float
    seeds: int
    """So many of each cell are planned; `points` is of 5 if they are fewer: they decide nothing."""
    classes: int
    comparisons: int
    assumed: bool
    """From `TYPICAL`, for want of records."""


def components_of(difference_SC: Array) -> Components | None:
    """Variance components of paired differences (points), by the mean squares of a two-way table.

    Returns:
        None with fewer than two seeds or classes.
    """
    seeds, classes = difference_SC.shape
    if min(seeds, classes) < 2:
        return None
    seed_S = difference_SC.mean(axis=1)
    class_C = difference_SC.mean(axis=0)
    rest_SC = difference_SC - seed_S[:, None] - class_C[None, :] + difference_SC.mean()
    rest = float((rest_SC**2).sum() / ((seeds - 1) * (classes - 1)))
    of_seed = float(seed_S.var(ddof=1)) - rest / classes
    of_class = float(class_C.var(ddof=1)) - rest / seeds
    return Components(max(0.0, of_seed), max(0.0, of_class), rest)


def pooled(found: Sequence[Components]) -> Components:
    """Their mean."""
    table = np.array([[each.seed, each.class_, each.rest] for each in found]).mean(axis=0)
    return Components(*(float(value) for value in table))


def smallest_difference(
    components: Components, *, seeds: int, classes: int, comparisons: int = 1
) -> float:
    """Points that a plan shows with 80 % power at the 5 % level, two-sided; of several comparisons
    the first that Holm's correction looks at."""
    size = {"seeds": seeds, "classes": classes}
    bound = stats.norm.ppf(1 - LEVEL / 2 / comparisons) * components.bootstrap_error(**size)
    return float(bound + stats.norm.ppf(POWER) * components.error(**size))


def half_width(components: Components, *, seeds: int, classes: int) -> float:
    """Half of the 95 % interval to be expected, points."""
    normal = stats.norm.ppf(1 - LEVEL / 2)
    return float(normal * components.bootstrap_error(seeds=seeds, classes=classes))


def smallest(question: "Question", storage: "Storage") -> Power | None:
    """What a question's seeds and test classes can show; from its records where there are two
    cells with two common seeds, else from `TYPICAL`.

    Returns:
        None where nothing says how many test classes the data have.
    """
    from orchestrator.statistics.cells import cells_of, paired

    cells = cells_of(question, storage)
    classes = question.facts.get("splits", {}).get("test", {}).get("classes", 0)
    found = [
        components
        for cell in cells[1:]
        if (table := paired(cell, cells[0], PRIMARY)) is not None
        and (components := components_of(table)) is not None
    ]
    if not classes:
        return None
    planned = Counter(trial.cell for trial in question.plan(storage).trials)
    seeds, comparisons = min(planned.values()), max(1, len(planned) - 1)
    points = smallest_difference(
        pooled(found) if found else TYPICAL,
        seeds=max(FEWEST, seeds), classes=classes, comparisons=comparisons,
    )  # fmt: skip
    return Power(points, seeds, classes, comparisons, assumed=not found)
