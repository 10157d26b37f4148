"""Whether the thesis' orderings hold."""

import pytest

from orchestrator.report.orderings import orderings, verdict
from orchestrator.report.table import collect
from orchestrator.storage import Storage
from tests.orchestrator.report.recorded import asked, record_all


@pytest.mark.parametrize(
    ("ours", "thesis", "expected"),
    [
        (3.0, 5.0, "holds"),
        (-3.0, 5.0, "reversed"),
        (0.05, 5.0, "equal within 0.05 here"),
        (-0.06, 5.0, "reversed"),
        (3.0, 0.05, "equal within 0.05 in the thesis"),
    ],
)
def test_verdicts(ours, thesis, expected):
    assert verdict(ours, thesis) == expected


def _orderings(tmp_path, sweep, scores, **question):
    storage, found = Storage(str(tmp_path)), asked(sweep, **question)
    record_all(storage, found, scores)
    table = collect([found], storage)
    return orderings(table, table.groups[0])


def test_each_recorded_cell_against_the_baseline(tmp_path):
    scores = {"VFSEL": [50.0], "no attention": [40.0], "no speech attention": [51.0]}
    assert _orderings(tmp_path, "components", scores) == [
        "VFSEL better than no attention: holds (here +20.00, thesis +6.91).",
        "VFSEL better than no speech attention: reversed (here −2.00, thesis +4.19).",
    ]


def test_the_thesis_better_one_is_named_first(tmp_path):
    found = _orderings(tmp_path, "gamma", {"gamma=1": [50.0], "gamma=10": [40.0]})
    assert found[0].startswith("gamma=10 better than gamma=1: reversed (here −20.00")


def test_a_method_that_the_thesis_has_in_one_direction_is_not_compared(tmp_path):
    scores = {"VFSEL": [50.0], "Merkx": [40.0], "Scharenborg": [40.0]}
    merkx, scharenborg = _orderings(tmp_path, "flickr8k", scores, dataset="flickr8k")
    assert "holds" in merkx
    assert "quoted from a paper" in merkx
    assert scharenborg.endswith("in one direction only.")


def test_without_a_baseline_there_is_nothing_to_say(tmp_path):
    assert _orderings(tmp_path, "components", {"no attention": [50.0]}) == []


def test_cells_near_chance_are_not_ordered(tmp_path):
    """Chance is 5 in each direction: 7 against 6 says nothing, 7 against 20 does."""
    scores = {"VFSEL": [7.0], "no attention": [6.0], "no speech attention": [20.0]}
    near, far = _orderings(tmp_path, "components", scores)
    assert near == "VFSEL better than no attention: undecided, both are near chance here."
    assert "reversed" in far
