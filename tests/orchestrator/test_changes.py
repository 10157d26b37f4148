"""What a plan changes of the one before."""

import pytest

from orchestrator.changes import changes
from orchestrator.planning import Question
from orchestrator.storage import Storage
from search_spaces.sweep import load
from tests.orchestrator.tracked import record
from trainables.experiment import Experiment

BASE = Experiment(image_encoder="small", epochs=4, data="d" * 16)


@pytest.fixture
def storage(tmp_path):
    return Storage(str(tmp_path / "runs"))


def _asked(storage, **changed):
    question = Question(load("loss"), BASE.replace(**changed), 1, "tones")
    storage.write_plan(question.to_dict())
    return question


def test_nothing_before_is_no_change(storage):
    assert changes(Question(load("loss"), BASE, 1, "tones"), storage) is None


def test_more_seeds_add_trials(storage):
    before = _asked(storage)
    found = changes(Question(load("loss"), BASE, 2, "tones"), storage)
    assert (found.against, found.seeds, found.fields) == (before.plan_id, (1, 2), {})
    assert found.added == ["loss=matching seed=1", "loss=triplet seed=1"]
    assert found.removed == []
    assert "seeds 1 → 2, 2 trials added, 0 removed" in found.lines()[0]


def test_the_nearest_plan_is_compared_field_by_field(storage):
    near = _asked(storage)
    _asked(storage, batch_size=16, mels=64)
    now = Question(load("loss"), BASE.replace(epochs=5, data="e" * 16), 1, "tones")
    found = changes(now, storage)
    assert found.against == near.plan_id
    assert found.fields == {"data": ("d" * 16, "e" * 16), "epochs": (4, 5)}
    assert (len(found.added), len(found.removed)) == (2, 2)


def test_the_code_that_wrote_the_records_is_named(storage):
    question = _asked(storage)
    record(storage, question.plan(storage).trials[0])
    found = changes(question, storage)
    assert found.code[0] == ["0.1.0+abc"]
    assert f"code 0.1.0+abc → {found.code[1]}" in found.lines()[0]
