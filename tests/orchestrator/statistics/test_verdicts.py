"""Verdicts and Holm's correction, by hand."""

import pytest

from orchestrator.statistics.power import Components
from orchestrator.statistics.verdicts import Verdict, holm, said, verdict


def test_holm_by_hand():
    # sorted: 0.01 × 3, 0.02 × 2, 0.5 × 1
    assert holm([0.02, None, 0.01, 0.5]) == pytest.approx([0.04, None, 0.03, 0.5])
    assert holm([None, None]) == [None, None]
    assert holm([]) == []


def test_corrected_values_never_fall():
    assert holm([0.03, 0.04]) == pytest.approx([0.06, 0.06])


@pytest.mark.parametrize(
    ("difference", "p", "seeds", "expected"),
    [
        (2.0, 0.05, 5, Verdict.BETTER),
        (-2.0, 0.05, 5, Verdict.WORSE),
        (2.0, 0.051, 5, Verdict.NONE),
        (50.0, 0.0005, 4, Verdict.FEW),
        (50.0, None, 10, Verdict.FEW),
    ],
)
def test_verdicts(difference, p, seeds, expected):
    assert verdict(difference, p, seeds=seeds) == expected


def test_what_more_seeds_would_show_by_hand():
    own = Components(seed=5.0, class_=20.0, rest=0.0)
    found = said(Verdict.FEW, seeds=3, classes=20, components=own, width=9.0)
    assert found == "not enough data (2 more seeds would show ±2.8)"  # 1.96 √(5/5 + 20/20)
    assumed = said(Verdict.FEW, seeds=1, classes=20, components=None, width=None)
    assert assumed.startswith("not enough data (4 more seeds would show about ±")
    assert said(Verdict.FEW, seeds=4, classes=0, components=None, width=None) == (
        "not enough data (1 more seed)"
    )


def test_no_difference_says_what_it_could_have_seen():
    found = said(Verdict.NONE, seeds=5, classes=20, components=None, width=2.34)
    assert found == "no difference shown (±2.3)"
    own = Components(seed=5.0, class_=20.0, rest=9.0)
    found = said(Verdict.NONE, seeds=5, classes=20, components=own, width=2.9)
    assert found == "no difference shown (±2.9; with endless seeds ±2.0)"  # 1.96 √(20/20)
    assert said(Verdict.BETTER, seeds=5, classes=20, components=None, width=2.3) == "better"
