"""Grids of results: texts of cells, marks and notes."""

from orchestrator.report.grid import Grid, Head, number
from orchestrator.report.results import further_grid, headline_grid
from orchestrator.report.table import collect
from orchestrator.storage import Storage
from tests.orchestrator.report.recorded import asked, record_all


def _table(tmp_path, sweep, scores, **question):
    storage, found = Storage(str(tmp_path)), asked(sweep, **question)
    record_all(storage, found, scores)
    return collect([found], storage)


def test_lines_of_a_cell_by_hand(tmp_path):
    grid = headline_grid(_table(tmp_path, "attention_placement", {"image_attention=B3": [50.0]}))
    lines = [line for line in grid.lines if line.label == "image_attention=B3"]
    assert [(line.kind, *line.cells) for line in lines] == [
        ("here", "1", "50.00", "5.00", "50.00", "5.00"),
        ("thesis", "", "49.26", "43.22", "63.74", "54.47"),
        ("here − thesis", "", "+0.74", "−38.22", "−13.74", "−49.47"),
        ("one checkpoint ‡", "", "48.03", "42.48", "63.74", "54.47"),
        ("here − one checkpoint ‡", "", "+1.97", "−37.48", "−13.74", "−49.47"),
    ]
    assert [head.name for head in grid.heads[1:3]] == ["R@1", "mAP@50 (thesis)"]
    assert any("may stand beside no other mAP@50" in note for note in grid.notes)


def test_missing_is_said_and_never_zero(tmp_path):
    grid = headline_grid(_table(tmp_path, "loss", {"loss=matching": [50.0, 52.0]}, seeds=3))
    ours = {line.label: line.cells for line in grid.lines if line.kind == "here"}
    assert ours["loss=matching"][:2] == ["2 of 3 seeds", "51.00 ± 1.41"]
    assert ours["loss=triplet"] == ["0 of 3 seeds", *["missing"] * 4]
    assert "standard deviation" in grid.caption
    assert not any("0.00" in cell for cell in ours["loss=triplet"])


def test_quoted_values_have_a_dagger_and_its_note(tmp_path):
    grid = headline_grid(_table(tmp_path, "flickr8k", {}, dataset="flickr8k"))
    marked = {line.label for line in grid.lines if "†" in line.kind}
    assert marked == {"Merkx", "Scharenborg", "Chrupała"}
    assert any(note.startswith("†: quoted") for note in grid.notes)
    assert [head.name for head in grid.heads[1:5]] == ["R@1", "R@5", "R@10", "med r"]


def test_without_thesis_values_there_is_one_line_a_cell(tmp_path):
    grid = headline_grid(_table(tmp_path, "loss", {}, dataset="synth"))
    assert [line.label for line in grid.lines] == ["loss=matching", "loss=triplet"]
    assert not grid.has_kinds


def test_no_thesis_value_is_near_the_further_metrics(tmp_path):
    grid = further_grid(_table(tmp_path, "loss", {"loss=matching": [50.0]}))
    assert [head.name for head in grid.heads[:4]] == [
        "R@1 sum, validation", "mAP@50", "mAP@50 (hits)", "chance",
    ]  # fmt: skip
    assert grid.lines[0].cells == ["100.00", *["5.00"] * 6]


def test_an_oracle_is_labelled(tmp_path):
    grid = headline_grid(_table(tmp_path, "loss", {}, selection="test"))
    assert "[oracle: chosen on the test split]" in grid.caption


def test_numbers():
    assert number(-0.001, sign=True) == "0.00"
    assert number(-1.5, 1) == "−1.5"
    assert number(2, 1, sign=True) == "+2.0"
    assert number(None) == "–"


def test_equal_heads_side_by_side_are_one():
    heads = [Head("a", "", "n"), Head("a", "x", "r"), Head("a", "x", "r"), Head("b", "x", "r")]
    grid = Grid("", "", heads, [])
    assert grid.spans(0) == [("a", 3), ("b", 1)]
    assert grid.spans(1) == [("", 1), ("x", 2), ("x", 1)]
    assert grid.spans(2) == [("n", 1), ("r", 1), ("r", 1), ("r", 1)]
