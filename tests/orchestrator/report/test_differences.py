"""Differences from the thesis: fields, data, unknown facts of old plans."""

import dataclasses

from orchestrator.report.differences import data_grid, fields_grid, unlike
from orchestrator.report.table import collect
from orchestrator.storage import Storage
from tests.orchestrator.report.recorded import asked


def _lines(grid):
    return {line.label: line.cells for line in grid.lines}


def test_fields_that_differ_from_the_preset_or_from_the_authors_code(tmp_path):
    table = collect([asked("loss", gamma="5", selection="test")], Storage(str(tmp_path)))
    lines = _lines(fields_grid(table))
    assert lines["epochs"] == ["10", "120", "120"]
    assert lines["gamma"] == ["5", "13", "13"]
    assert lines["selection"] == ["test", "val", "test"]
    assert lines["cbam_kernel"] == ["7", "7", "3"]
    assert not {"data", "seed", "loss", "batch_size"} & lines.keys()


def test_the_data_stand_beside_those_of_the_thesis(tmp_path):
    lines = _lines(data_grid(collect([asked("loss")], Storage(str(tmp_path)))))
    assert lines["train"] == [
        "2 classes, 100 images, 300 captions", "82 classes, 7034 images, 70340 captions",
    ]  # fmt: skip
    assert lines["captions an image"] == ["3", "10"]
    assert lines["voices"] == ["2 (en-us, en-gb)", "1"]
    assert lines["speech"] == ["espeak 1.52", "Tacotron 2"]


def test_what_an_old_plan_does_not_tell_is_unknown(tmp_path):
    old = dataclasses.replace(asked("loss"), facts={})
    lines = _lines(data_grid(collect([old], Storage(str(tmp_path)))))
    assert lines["train"][0] == lines["voices"][0] == "unknown"
    assert lines["manifest"][0] == old.base.data


def test_what_is_not_alike_is_said_in_one_sentence(tmp_path):
    (group,) = collect([asked("loss")], Storage(str(tmp_path))).groups
    assert unlike(group) == (
        "10 of 120 epochs, 100 of 7034 training images, 100 of 1155 images in the gallery, small "
        "for resnet101"
    )
    (group,) = collect([asked("loss", dataset="tones")], Storage(str(tmp_path))).groups
    assert unlike(group) == ""
