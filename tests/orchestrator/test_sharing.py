"""Trials that several sweeps want."""

from orchestrator.planning import Question, ask
from orchestrator.sharing import others, shared
from orchestrator.storage import Storage
from search_spaces.sweep import load
from tests import made
from tests.orchestrator.command import TINY
from trainables.presets import PRESETS

ASKED = {"settings": dict(part.split("=") for part in TINY[1::2]), "seeds": 1, "cache_limit": 50.0}


def _others(question, data, storage):
    return others(question, data, storage, preset=PRESETS["demo"], asked=ASKED)


def test_other_sweeps_of_the_same_data_by_trial(tmp_path):
    data, storage = made.make(tmp_path / "tones"), Storage(str(tmp_path / "runs"))
    question = ask(load("loss"), preset=PRESETS["demo"], data=data, **ASKED)
    matching, triplet = question.plan(storage).trials
    found = shared(question, storage, _others(question, data, storage))
    assert {"baseline", "point", "speech_attention"} <= set(found[matching.id])
    assert "loss" not in found[matching.id]
    assert "point" not in found[triplet.id]


def test_plans_of_the_storage_count_too(tmp_path):
    data, storage = made.make(tmp_path / "tones"), Storage(str(tmp_path / "runs"))
    question = ask(load("loss"), preset=PRESETS["demo"], data=data, **ASKED)
    odd = question.base.replace(epochs=77)
    asked = Question(load("loss"), odd, 1, "tones")
    assert shared(asked, storage, _others(asked, data, storage)) == {}
    storage.write_plan(Question(load("point"), odd, 1, "tones").to_dict())
    found = shared(asked, storage, _others(asked, data, storage))
    assert list(found.values()) == [["point"]]
