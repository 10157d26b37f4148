"""What was tuned first is said, and is part of the command that repeats a report."""

import dataclasses

from orchestrator.planning import Tuned
from orchestrator.report import report_id
from orchestrator.report.reproducing import commands
from orchestrator.report.table import collect
from orchestrator.report.tuned import tuned_section
from orchestrator.storage import Storage
from tests.orchestrator.report.recorded import asked

POINTS = {"loss=matching": {"gamma": 7.25}, "loss=triplet": {}}
TUNED = Tuned(POINTS, {"loss=matching": "abc", "loss=triplet": ""}, 12, "tpe", "asha", None)


def tables(tmp_path):
    storage, plain = Storage(str(tmp_path)), asked("loss", seeds=2)
    tuned = dataclasses.replace(plain, tuned=TUNED)
    return storage, collect([plain], storage), collect([tuned], storage)


def test_each_arm_has_what_was_found(tmp_path):
    _, plain, tuned = tables(tmp_path)
    assert not tuned_section(plain).says_something
    section = tuned_section(tuned)
    assert "12 trials of tpe" in section.text[0]
    (grid,) = section.grids
    assert [list(line.cells) for line in grid.lines] == [["gamma=7.25", "abc"], ["–", "–"]]


def test_it_is_a_report_and_a_command_of_its_own(tmp_path):
    storage, plain, tuned = tables(tmp_path)
    questions = [table.groups[0].question for table in (plain, tuned)]
    assert report_id(questions[0]) != report_id(questions[1])
    assert "--tune-first" not in " ".join(commands(plain, storage))
    assert "--tune-first --trials 12 --sampler tpe --pruner asha" in commands(tuned, storage)[1]
