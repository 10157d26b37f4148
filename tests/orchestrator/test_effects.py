"""Effects of a factorial, worked by hand and against the slow, obvious version."""

import itertools
from statistics import fmean

import pytest

from orchestrator.effects import effects

TWO = {"image": ["none", "B3"], "speech": [True, False]}


def _by_levels(found):
    return {tuple(effect.levels.values()): effect.value for effect in found}


def test_two_by_two_by_hand():
    values = {("none", True): 10, ("none", False): 20, ("B3", True): 30, ("B3", False): 60}
    grand, found = effects(TWO, values)
    assert grand == 30
    assert _by_levels(found) == {
        ("none",): -15, ("B3",): 15, (True,): -10, (False,): 10,
        ("none", True): 5, ("none", False): -5, ("B3", True): -5, ("B3", False): 5,
    }  # fmt: skip


def test_what_only_adds_up_has_no_interaction():
    values = {(a, b): 10.0 * (a == "B3") + 3.0 * b for a in TWO["image"] for b in TWO["speech"]}
    _, found = effects(TWO, values)
    assert [effect.value for effect in found if len(effect.levels) == 2] == [0, 0, 0, 0]


def test_three_factors_as_the_definition_says():
    factors = {"a": [1, 2, 3], "b": ["x", "y"], "c": ["p", "q"]}
    cells = list(itertools.product(*factors.values()))
    values = {cell: float(place**2 % 17) for place, cell in enumerate(cells)}
    grand = fmean(values.values())

    def mean(**levels):
        places = {name: list(factors).index(name) for name in levels}
        return fmean(
            value for cell, value in values.items()
            if all(cell[places[name]] == level for name, level in levels.items())
        )  # fmt: skip

    _, found = effects(factors, values)
    assert len(found) == 7 + 6 + 6 + 4
    for effect in found:
        expected = mean(**effect.levels) - grand
        if len(effect.levels) == 2:
            alone = [mean(**{name: level}) for name, level in effect.levels.items()]
            expected = mean(**effect.levels) - sum(alone) + grand
        assert effect.value == pytest.approx(expected)
    assert sum(effect.value for effect in found if list(effect.levels) == ["a"]) == pytest.approx(0)


def test_a_cell_that_is_not_there_is_no_zero():
    with pytest.raises(KeyError):
        effects(TWO, {("none", True): 10.0})
