"""Intervals, verdicts and promised power on simulated sweeps, through the code that reports use."""

import gc

import numpy as np
import pytest

from benchmarks.intervals import coverage, difference
from benchmarks.simulated import SETTINGS, cells
from orchestrator.statistics.cells import paired
from orchestrator.statistics.power import components_of, smallest_difference

SEEDS, CLASSES = 10, 20


@pytest.fixture(autouse=True)
def _few_objects():
    """statsmodels collects garbage at each correction: without the million objects of pytest."""
    gc.freeze()
    yield
    gc.unfreeze()


@pytest.mark.slow
@pytest.mark.parametrize("name", SETTINGS)
def test_coverage_and_family_wise_error(name):
    covered, claimed = coverage(SETTINGS[name], seeds=SEEDS, classes=CLASSES)
    assert 0.91 <= covered <= 0.98
    assert claimed <= 0.06


@pytest.mark.slow
@pytest.mark.parametrize("name", SETTINGS)
def test_the_power_is_what_was_promised(name):
    setting, rng = SETTINGS[name], np.random.default_rng(3)
    components = components_of(_table(rng, setting, 0.0, seeds=150, classes=300))
    promised = smallest_difference(components, seeds=SEEDS, classes=CLASSES)
    effect = _logits_for(promised, setting)
    found = []
    for _ in range(400):
        base, cell = cells(rng, setting, count=2, seeds=SEEDS, classes=CLASSES, effect=effect)
        found.append(difference(cell, base).p <= 0.05)
    assert 0.7 <= np.mean(found) <= 0.9


def _table(rng, setting, effect, *, seeds, classes):
    base, cell = cells(rng, setting, count=2, seeds=seeds, classes=classes, effect=effect)
    return paired(cell, base, "r1_sum")


def _logits_for(points, setting):
    """By bisection on one large simulated sweep: the logits that make a difference of so much."""
    low, high = 0.0, 4.0
    for _ in range(12):
        effect = (low + high) / 2
        table = _table(np.random.default_rng(9), setting, effect, seeds=40, classes=2000)
        null = _table(np.random.default_rng(9), setting, 0.0, seeds=40, classes=2000)
        low, high = (effect, high) if (table - null).mean() < points else (low, effect)
    return effect
