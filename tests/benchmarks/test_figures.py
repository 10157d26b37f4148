"""How figures are judged and shown. What they are is never a test's business."""

import pytest

from benchmarks.figures import Figure, side_by_side


@pytest.mark.parametrize(
    ("value", "goal", "met"),
    [
        (3.0, {"at_least": 3}, "yes"),
        (2.9, {"at_least": 3}, "no"),
        (1.5, {"at_most": 1.5}, "yes"),
        (1.6, {"at_most": 1.5}, "no"),
        (1.6, {}, ""),
    ],
)
def test_a_goal_is_met_or_not(value, goal, met):
    assert Figure(what="a", value=value, **goal).met == met


def test_a_row_puts_the_figure_first():
    figure = Figure(what="ours / theirs", value=3.14159, at_least=3, note="2 s / 6 s")
    assert figure.row() == "| 3.14 × | ≥ 3 × | yes | ours / theirs | 2 s / 6 s |"


def test_side_by_side_runs_in_turn_after_a_round_to_warm_up():
    calls = []
    times = side_by_side(lambda: calls.append("a"), lambda: calls.append("b"), rounds=2)
    assert calls == ["a", "b"] * 3
    assert len(times) == 2
