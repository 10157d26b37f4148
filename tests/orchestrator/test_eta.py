"""How long a sweep will take, worked by hand."""

import pytest

from orchestrator.eta import duration, pace, sweep_seconds
from tests.orchestrator.tracked import reports


def test_a_night_between_two_reports_does_not_count():
    first, second, third, fourth = reports(4)
    later = [report | {"time": report["time"] + 30_000} for report in (third, fourth)]
    assert pace([first, second, *later]) == 2


def test_after_one_epoch_its_own_seconds():
    assert pace([reports(1)[0] | {"seconds": 7.0}]) == 7
    assert pace([]) is None


def test_work_is_shared_by_those_that_run():
    assert sweep_seconds([10, 10, 10, 10], paces=[3.0, 2.0, 4.0], at_once=2) == 60


def test_the_longest_trial_cannot_be_shared():
    assert sweep_seconds([10, 1, 1], paces=[2.0], at_once=3) == 20


def test_nobody_can_tell_while_nothing_runs():
    assert sweep_seconds([10], paces=[], at_once=0) is None
    assert sweep_seconds([], paces=[2.0], at_once=1) is None


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0, "0 s"), (119, "119 s"), (120, "2 min"), (7200, "2 h"), (200_000, "2 days")],
)
def test_durations(seconds, said):
    assert duration(seconds) == said
