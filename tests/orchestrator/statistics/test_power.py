"""Variance components and what can be shown, by hand and by recovery."""

import numpy as np
import pytest

from orchestrator.statistics.power import (
    Components,
    components_of,
    half_width,
    pooled,
    smallest_difference,
)

COMPONENTS = Components(seed=4.0, class_=16.0, rest=36.0)


def test_components_by_hand():
    # rows (seeds) 1 and 3, columns (classes) 0 and 4 on top; nothing is left over
    found = components_of(np.array([[1.0, 5.0], [3.0, 7.0]]))
    assert found == Components(seed=2.0, class_=8.0, rest=0.0)


def test_components_are_recovered():
    rng = np.random.default_rng(0)
    tables = [
        rng.normal(0, 2, (20, 1)) + rng.normal(0, 4, (1, 30)) + rng.normal(0, 6, (20, 30))
        for _ in range(200)
    ]
    found = pooled([components_of(table) for table in tables])
    assert found.seed == pytest.approx(4, rel=0.15)
    assert found.class_ == pytest.approx(16, rel=0.15)
    assert found.rest == pytest.approx(36, rel=0.05)


@pytest.mark.parametrize("shape", [(1, 20), (5, 1)])
def test_one_seed_or_class_tells_nothing(shape):
    assert components_of(np.zeros(shape)) is None


def test_the_error_by_hand():
    # 4/4 + 16/16 + 36/64 = 2.5625; the bootstrap counts the rest three times: 3.6875
    assert COMPONENTS.error(seeds=4, classes=16) == pytest.approx(2.5625**0.5)
    assert COMPONENTS.bootstrap_error(seeds=4, classes=16) == pytest.approx(3.6875**0.5)
    assert half_width(COMPONENTS, seeds=4, classes=16) == pytest.approx(
        1.96 * 3.6875**0.5, rel=1e-4
    )
    expected = 1.95996 * 3.6875**0.5 + 0.84162 * 2.5625**0.5
    assert smallest_difference(COMPONENTS, seeds=4, classes=16) == pytest.approx(expected, rel=1e-4)


def test_more_comparisons_need_a_larger_difference():
    # 0.05 / 2 / 5 on each side: 2.57583
    expected = 2.57583 * 3.6875**0.5 + 0.84162 * 2.5625**0.5
    found = smallest_difference(COMPONENTS, seeds=4, classes=16, comparisons=5)
    assert found == pytest.approx(expected, rel=1e-4)


def test_seeds_alone_do_not_shrink_it_to_nothing():
    many = smallest_difference(COMPONENTS, seeds=10**9, classes=16)
    assert many == pytest.approx((1.95996 + 0.84162) * 1.0, rel=1e-3)
