"""The crossed bootstrap against a slow obvious version, and its interval against its p."""

import numpy as np
import pytest

from orchestrator.statistics import bootstrap
from orchestrator.statistics.bootstrap import RESAMPLES, Resampled, resample


def slow(sum_SC, count_C):
    """A loop over resamples, seeds and classes with the same draws."""
    drawn_BS = bootstrap._shares(len(sum_SC), "seeds")
    n = len(sum_SC)
    seed_BS = 1 / n + (drawn_BS - 1 / n) * np.sqrt(n / (n - 1))
    class_BC = bootstrap._shares(len(count_C), "classes")
    found = []
    for weight_S, weight_C in zip(seed_BS, class_BC, strict=True):
        total = sum(
            weight_S[s] * weight_C[c] * sum_SC[s, c]
            for s in range(len(sum_SC))
            for c in range(len(count_C))
        )
        found.append(total / sum(weight_C * count_C))
    return sorted(found)


def test_as_the_slow_version():
    rng = np.random.default_rng(0)
    sum_SC, count_C = rng.normal(size=(3, 4)), np.array([1, 2, 3, 4])
    found = resample([(sum_SC, count_C)])
    np.testing.assert_allclose(found.resamples_B, slow(sum_SC, count_C))
    assert found.value == pytest.approx(sum_SC.mean(axis=0).sum() / 10)


def test_draws_are_shares_that_add_up_and_vary_as_a_mean_does():
    share_BN = bootstrap._shares(6, "classes")
    np.testing.assert_allclose(share_BN.sum(axis=1), 1)
    assert share_BN.min() == 0
    value_S = np.arange(6.0)
    expected = value_S.std(ddof=1) / np.sqrt(6)
    assert (bootstrap._stretched(6) @ value_S).std() == pytest.approx(expected, rel=0.05)


def test_classes_of_very_unequal_sizes_stay_within_what_can_be():
    count_C = np.array([1, 2, 40])
    found = resample([(np.stack([100.0 * count_C * share for share in (0.9, 1.0)]), count_C)])
    assert found.resamples_B[0] >= 80
    assert found.resamples_B[-1] <= 110


def test_equal_values_have_no_uncertainty():
    found = resample([(np.full((5, 8), 3.0), np.ones(8))])
    assert found.interval == pytest.approx((3.0, 3.0))


@pytest.mark.parametrize("count", [0, 50, 98, 99, 100, 101, 500])
def test_the_interval_excludes_0_exactly_where_p_is_at_most_5_percent(count):
    below = np.sort(np.concatenate([-np.ones(count), np.ones(RESAMPLES - count)]))
    for resamples in (below, np.sort(-below)):
        found = Resampled(0.5, resamples)
        low, high = found.interval
        assert (low > 0 or high < 0) == (found.p <= 0.05)


def test_the_same_data_give_the_same_interval():
    table = [(np.random.default_rng(1).normal(size=(5, 20)), np.ones(20))]
    assert resample(table).interval == resample(table).interval
