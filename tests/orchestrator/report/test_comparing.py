"""Sentences and lines of differences, from findings made by hand."""

import dataclasses

import pytest

from orchestrator.report.comparing import answer_sentence, comparison_grid, interval, p_value
from orchestrator.report.forest import forest
from orchestrator.report.spreadsheet import comparison_csv
from orchestrator.report.table import collect
from orchestrator.statistics.findings import Compared, Estimate, Findings
from orchestrator.storage import Storage
from tests.orchestrator.report.recorded import asked, record_all

CELLS = ("image_attention=none", "image_attention=B3", "image_attention=B4")


def _row(label, mean, difference=None, p=None, said="baseline"):
    return Compared(
        label=label, varies={}, seeds=5, means={"r1_sum": mean},
        differences={} if difference is None else {"r1_sum": difference},
        p=p, p_holm=p, verdict=None, said=said,
    )  # fmt: skip


def _table(tmp_path, rows, *, best=CELLS[2], **settings):
    """`attention_placement` with these findings; B4 is the best of it, unless said."""
    storage, question = Storage(str(tmp_path)), asked("attention_placement", seeds=5, **settings)
    scores = {label: [60.0 if label == best else 50.0] * 5 for label in CELLS}
    record_all(storage, question, scores)
    table = collect([question], storage)
    found = Findings(CELLS[1], rows, [], False)
    return dataclasses.replace(table, groups=[dataclasses.replace(table.groups[0], findings=found)])


ROWS = [
    _row(CELLS[0], Estimate(100.0, 95.0, 105.0), Estimate(-2.1, -4.6, 0.4), 0.08, "no difference"),
    _row(CELLS[1], Estimate(102.1, 97.25, 107.0)),
    _row(CELLS[2], Estimate(120.0, 115.0, 125.0), Estimate(17.9, 9.0, 26.0), 0.0004, "better"),
]


def test_the_answer_is_one_sentence_with_its_uncertainty(tmp_path):
    (group,) = _table(tmp_path, ROWS).groups
    assert answer_sentence(group) == (
        "best: image_attention=B4 — R@1 sum 120.0 [115.0, 125.0] on the test split (95 % interval; "
        "chance 10.0); against image_attention=B3 +17.9 [9.0, 26.0], p < 0.001 (Holm): better"
    )


def test_the_baseline_as_the_best_stands_against_the_next(tmp_path):
    (group,) = _table(tmp_path, ROWS[:2], best=CELLS[1]).groups
    assert answer_sentence(group).endswith(
        ", the baseline; next to it image_attention=none −2.1 [−4.6, 0.4], p = 0.080 (Holm): no "
        "difference"
    )


def test_an_oracle_is_labelled_and_no_interval_is_made_up(tmp_path):
    (group,) = _table(tmp_path / "oracle", ROWS, selection="test").groups
    assert answer_sentence(group).endswith("[oracle: chosen on the test split]")
    bare = [_row(CELLS[2], Estimate(120.0, None, None))]
    (group,) = _table(tmp_path / "bare", bare).groups
    assert "[" not in answer_sentence(group)
    assert forest(group) is None


def test_lines_stand_beside_the_thesis(tmp_path):
    grid = comparison_grid(_table(tmp_path, ROWS))
    assert [head.name for head in grid.heads] == [
        "seeds", "R@1 sum [95 %]", "difference [95 %]", "difference in the thesis", "p (Holm)",
        "verdict",
    ]  # fmt: skip
    lines = {line.label: line.cells for line in grid.lines}
    assert lines[CELLS[1]] == ["5", "102.10 [97.25, 107.00]", "–", "–", "–", "baseline"]
    none = lines[CELLS[0]]
    assert none[2] == "−2.10 [−4.60, 0.40]"
    assert none[4:] == ["0.080", "no difference"]
    assert float(none[3].replace("−", "-")) < 0  # the thesis' B3 is better than none


def test_a_cell_without_findings_is_missing(tmp_path):
    grid = comparison_grid(_table(tmp_path, ROWS[:2]))
    (line,) = (line for line in grid.lines if line.label == CELLS[2])
    assert line.cells[:3] == ["0", "missing", "–"]
    assert line.cells[-1] == "not recorded"


def test_the_forest_has_a_line_a_difference(tmp_path):
    drawn = forest(_table(tmp_path, ROWS).groups[0])
    assert drawn.content.startswith(b"\x89PNG")
    assert "image_attention=none −2.1 [−4.6, 0.4]; image_attention=B4 +17.9" in drawn.alt


def test_the_same_numbers_are_in_the_csv(tmp_path):
    _, first, second, _ = comparison_csv(_table(tmp_path, ROWS)).splitlines()
    assert first.endswith(",100.0,95.0,105.0,-2.1,-4.6,0.4,0.08,0.08,no difference")
    assert second.endswith(",102.1,97.25,107.0,,,,,,baseline")


@pytest.mark.parametrize(("p", "shown"), [(None, "–"), (0.0004, "< 0.001"), (0.0449, "0.045")])
def test_p_values(p, shown):
    assert p_value(p) == shown


def test_intervals():
    assert interval(None) == "–"
    assert interval(Estimate(2.0, None, None), 1, sign=True) == "+2.0"
    assert interval(Estimate(-0.5, -1.0, 0.0), 1) == "−0.5 [−1.0, 0.0]"
