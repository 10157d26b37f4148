"""Plan minus records = work."""

import pytest

from data_shards.errors import UsageError
from data_shards.manifest import ClassCount, Data, Manifest, Shard, Split
from orchestrator.planning import Question, ask, asked_before, missing
from orchestrator.storage import Storage
from search_spaces.sweep import load
from trainables.presets import PRESETS


def _two(number: int) -> list[ClassCount]:
    """Two classes of a split."""
    return [ClassCount(2 * number + i, "a", 50, 50) for i in range(2)]


def _data() -> Data:
    splits = {
        name: Split(_two(number), [Shard(f"{name}.tar", 100, 100, "0" * 64)])
        for number, name in enumerate(("train", "val", "test"))
    }
    return Data("nowhere", Manifest("drawn", "", {}, {}, splits))


def _question(name: str = "gamma", seeds: int = 1, **settings: str) -> Question:
    return ask(load(name), preset=PRESETS["demo"], settings=settings, seeds=seeds, data=_data())


def _record(storage: Storage, trial_id: str, score: float) -> None:
    storage.write_record({"trial_id": trial_id, "selection": {"value": score}}, {})


def test_stage_2_appears_when_stage_1_is_recorded_and_then_nothing_is_missing(tmp_path):
    storage, question = Storage(str(tmp_path)), _question()
    for count, trial in enumerate(missing(question.plan(storage), storage)):
        _record(storage, trial.id, score=float(count))
    fine = missing(question.plan(storage), storage)
    assert [trial.varies["gamma"] for trial in fine] == [55, 60, 65, 70, 75, 80, 85, 90, 95]
    for trial in fine:
        _record(storage, trial.id, score=0.0)
    assert missing(question.plan(storage), storage) == []


def test_more_seeds_add_only_the_new_replicates(tmp_path):
    storage = Storage(str(tmp_path))
    for trial in _question("loss").plan(storage).trials:
        _record(storage, trial.id, 1.0)
    added = missing(_question("loss", seeds=3).plan(storage), storage)
    assert [trial.name for trial in added] == [
        f"loss={loss} seed={seed}" for loss in ("matching", "triplet") for seed in (1, 2)
    ]
    assert _question("loss").plan_id == _question("loss", seeds=3).plan_id


def test_a_trial_that_another_sweep_recorded_is_not_missing(tmp_path):
    storage = Storage(str(tmp_path))
    (trial,) = _question("baseline").plan(storage).trials
    _record(storage, trial.id, 1.0)
    left = missing(_question("attention_placement").plan(storage), storage)
    assert [t.varies["image_attention"] for t in left] == ["none", "B4"]


@pytest.mark.parametrize("seeds", [0, -1])
def test_at_least_one_seed(seeds):
    with pytest.raises(UsageError, match=f"--seeds must be >= 1, but got {seeds}"):
        _question(seeds=seeds)


def test_a_batch_larger_than_the_data_is_said_before_anything_runs():
    with pytest.raises(UsageError, match="batch_size must be at most"):
        _question(batch_size="101")


def test_data_that_one_of_the_trials_cannot_use_is_said_before_anything_runs():
    with pytest.raises(UsageError, match="training_voices=one needs data in at least 3 voices"):
        _question("speakers")


def test_a_report_finds_the_question_in_the_storage(tmp_path):
    storage, question = Storage(str(tmp_path)), _question(epochs="3")
    storage.write_plan(question.to_dict())
    assert asked_before("gamma", storage) == [question]
    with pytest.raises(UsageError, match="none of loss"):
        asked_before("loss", storage)


def test_a_plan_tells_of_its_data_and_one_of_old_that_does_not_can_be_read(tmp_path):
    storage, question = Storage(str(tmp_path)), _question("loss")
    assert question.facts["splits"]["train"] == {"classes": 2, "images": 100, "captions": 100}
    plan = question.to_dict()
    del plan["facts"]
    storage.write_plan(plan)
    (old,) = asked_before("loss", storage)
    assert old.facts == {}
    assert old.plan_id == question.plan_id
