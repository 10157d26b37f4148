"""Main effects and two-way interactions of a full factorial, from the means of its cells."""

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any

Cell = tuple[Any, ...]
"""A level of each factor, in the factors' order."""


@dataclass(frozen=True)
class Effect:
    """What a level (or two together) adds to the grand mean, in the metric's unit."""

    levels: Mapping[str, Any]
    """One factor's level: a main effect; two: their interaction."""
    value: float


def effects(
    factors: Mapping[str, Sequence[Any]], values: Mapping[Cell, float]
) -> tuple[float, list[Effect]]:
    """Grand mean and effects of a full factorial, every cell counted once.

    Main effect of a level: mean of its cells − grand mean. Interaction of two levels: mean of the
    cells that have both − mean of the one's − mean of the other's + grand mean: what is left when
    both main effects are added. Effects of a factor sum to 0 (Montgomery, Design and Analysis of
    Experiments, §5.3).

    Args:
        values: mean of every cell.

    Raises:
        KeyError: a cell is not there.
    """
    whole = {cell: values[cell] for cell in itertools.product(*factors.values())}
    grand = fmean(whole.values())

    def mean(levels: Mapping[str, Any]) -> float:
        return fmean(_of(whole, factors, levels))

    mains = [{name: level} for name, levels in factors.items() for level in levels]
    found = [Effect(levels, mean(levels) - grand) for levels in mains]
    for one, other in itertools.combinations(factors, 2):
        for a, b in itertools.product(factors[one], factors[other]):
            alone = mean({one: a}) + mean({other: b})
            found.append(Effect({one: a, other: b}, mean({one: a, other: b}) - alone + grand))
    return grand, found


def _of(
    whole: Mapping[Cell, float], factors: Mapping[str, Sequence[Any]], levels: Mapping[str, Any]
) -> Iterable[float]:
    places = [(list(factors).index(name), level) for name, level in levels.items()]
    return [
        value
        for cell, value in whole.items()
        if all(cell[place] == level for place, level in places)
    ]
