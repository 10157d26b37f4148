"""The table: means and spread over seeds, the thesis' values, what is missing."""

import pytest

from orchestrator.report.table import collect
from orchestrator.storage import Storage
from tests.orchestrator.report.recorded import asked, record_all


def _collect(tmp_path, sweep, scores, **question):
    storage, found = Storage(str(tmp_path)), asked(sweep, **question)
    record_all(storage, found, scores)
    return collect([found], storage)


def test_mean_spread_thesis_and_difference_by_hand(tmp_path):
    table = _collect(tmp_path, "components", {"VFSEL": [50.0, 53.0]}, seeds=2)
    value = table.groups[0].cell("VFSEL").values["s2i_r1"]
    assert (value.ours, value.thesis, value.single) == (51.5, 49.26, 48.03)
    assert value.spread == pytest.approx(2.1213, abs=1e-4)  # √((1.5² + 1.5²) / 1)
    assert value.over(value.thesis) == pytest.approx(2.24)


def test_only_the_thesis_own_definition_of_map_has_a_thesis_value(tmp_path):
    table = _collect(tmp_path, "components", {"VFSEL": [50.0]})
    values = table.groups[0].cell("VFSEL").values
    beside = {name for name, value in values.items() if value.thesis is not None}
    assert beside == {"s2i_r1", "i2s_r1", "s2i_map50_thesis", "i2s_map50_thesis"}


def test_states_say_what_is_missing(tmp_path):
    scores = {"loss=matching": [50.0, 51.0, 52.0], "loss=triplet": [40.0, 41.0]}
    table = _collect(tmp_path, "loss", scores, seeds=3)
    assert [cell.state for cell in table.groups[0].cells] == ["recorded", "2 of 3 seeds"]
    empty = _collect(tmp_path / "empty", "loss", {})
    assert [cell.state for cell in empty.groups[0].cells] == ["missing"] * 2
    assert all(v.ours is None for cell in empty.groups[0].cells for v in cell.values.values())


@pytest.mark.parametrize(
    ("sweep", "baseline"),
    [
        ("attention_placement", "image_attention=B3"),
        ("components", "VFSEL"),
        ("baseline", "VFSEL"),
        ("speech_attention", "speech_attention=on"),
        ("gamma", "gamma=1"),  # its first stage has no 13
    ],
)
def test_the_baseline_is_the_thesis_own_cell_else_the_first(tmp_path, sweep, baseline):
    assert _collect(tmp_path, sweep, {}).baseline == baseline


def test_one_checkpoint_only_stands_beside_vfsel_itself_on_oxford102(tmp_path):
    for dataset, expected in (("oxford102", ["image_attention=B3"]), ("cub200", [])):
        table = _collect(tmp_path / dataset, "attention_placement", {}, dataset=dataset)
        cells = table.groups[0].cells
        assert [c.label for c in cells if c.values["s2i_r1"].single is not None] == expected


def test_quoted_cells_are_marked(tmp_path):
    cells = _collect(tmp_path, "flickr8k", {}, dataset="flickr8k").groups[0].cells
    assert [cell.label for cell in cells if cell.quoted] == ["Merkx", "Scharenborg", "Chrupała"]


def test_levels_that_only_one_data_set_has_come_in_order(tmp_path):
    storage = Storage(str(tmp_path))
    one, other = asked("gamma", dataset="oxford102"), asked("gamma", dataset="cub200")
    coarse = {f"gamma={level}": [float(level)] for level in (1, 5, 10, 20, 50, 100)}
    record_all(storage, one, coarse)  # 50 and 100 are best: the levels between them follow
    table = collect([one, other], storage)
    assert table.labels[:7] == [f"gamma={level}" for level in (1, 5, 10, 20, 50, 55, 60)]
    assert table.groups[1].cell("gamma=55") is None


def test_the_same_data_set_packed_twice_has_two_names(tmp_path):
    storage = Storage(str(tmp_path))
    questions = [asked("loss"), asked("loss", dataset="oxford102", epochs="3")]
    names = [group.name for group in collect(questions, storage).groups]
    assert names == [f"oxford102 [{question.plan_id}]" for question in questions]
