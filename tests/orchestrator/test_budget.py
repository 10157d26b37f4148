"""What a budget buys, worked by hand: ten seconds a trial."""

import pytest

from data_shards.errors import UsageError
from orchestrator.budget import Budget, check_budget, limit
from orchestrator.costs import Cost, Costs, kind_of
from orchestrator.planning import Question
from orchestrator.storage import Storage
from search_spaces.sweep import load
from trainables.experiment import Experiment

BASE = Experiment(image_encoder="small", epochs=4, data="d" * 16)
COSTS = Costs("records", {kind_of(BASE): Cost(epoch=2.0, setup=2.0)})


def _trimmed(name, storage, *, seconds, seeds=2, at_once=1, costs=COSTS, recorded=frozenset()):
    budget = Budget("asked", seconds, at_once, costs, recorded)
    return Question(load(name), BASE, seeds, "tones", budget=budget).plan(storage)


@pytest.fixture
def storage(tmp_path):
    return Storage(str(tmp_path / "runs"))


def _names(trials):
    return [trial.name for trial in trials]


def test_replicates_are_bought_one_after_another(storage):
    plan = _trimmed("gamma", storage, seconds=75)
    kept = [(trial.varies["gamma"], trial.experiment.seed) for trial in plan.trials]
    assert kept == [(1, 0), (1, 1), (5, 0), (10, 0), (20, 0), (50, 0), (100, 0)]
    assert _names(plan.left_out) == [f"gamma={g} seed=1" for g in (5, 10, 20, 50, 100)]
    assert plan.undecided == ""


def test_the_baseline_comes_first_in_each_replicate(storage):
    kind = Experiment(image_encoder="small", epochs=4, data="d" * 16, speech_attention=False)
    both = Costs("records", dict.fromkeys([kind_of(BASE), kind_of(kind)], Cost(2.0, 2.0)))
    plan = _trimmed("speech_attention", storage, seconds=10, costs=both)
    (trial,) = plan.trials
    assert trial.experiment.speech_attention
    assert trial.experiment.seed == 0


def test_all_of_it_leaves_what_is_undecided_undecided(storage):
    plan = _trimmed("gamma", storage, seconds=120)
    assert len(plan.trials) == 12
    assert not plan.left_out
    assert "stage 2" in plan.undecided


def test_two_at_once_take_half_the_time(storage):
    assert len(_trimmed("gamma", storage, seconds=30, at_once=2).trials) == 6


def test_one_trial_takes_its_own_time_however_many_run_at_once(storage):
    assert not _trimmed("gamma", storage, seconds=9, at_once=100).trials


def test_what_is_recorded_costs_nothing(storage):
    every = _trimmed("gamma", storage, seconds=1e6).trials
    recorded = frozenset(trial.id for trial in every[:3])
    plan = _trimmed("gamma", storage, seconds=10, recorded=recorded)
    assert len(plan.trials) == 4


def test_the_fine_stage_is_bought_with_what_the_coarse_one_left(storage):
    for count, trial in enumerate(_trimmed("gamma", storage, seconds=1e6, seeds=1).trials):
        storage.write_record({"trial_id": trial.id, "selection": {"value": float(count)}}, {})
    plan = _trimmed("gamma", storage, seconds=85, seeds=1)
    assert [trial.varies["gamma"] for trial in plan.trials[6:]] == [55, 60]
    assert len(plan.left_out) == 7


def test_deriving_features_is_paid_once(storage):
    costs = Costs("probe", {kind_of(BASE): Cost(2.0, 2.0, once=7.0)})
    assert len(_trimmed("gamma", storage, seconds=26, costs=costs).trials) == 1
    assert len(_trimmed("gamma", storage, seconds=27, costs=costs).trials) == 2


@pytest.mark.parametrize(
    ("asked", "gpus", "seconds", "added_up"),
    [
        ("90m", 0, 5400, False),
        ("2h", 1, 7200, False),
        ("0.5d", 0, 43200, False),
        ("10gpuh", 1, 36000, True),
        ("10gpuh", 0.5, 72000, True),
    ],
)
def test_a_budget_in_seconds_of_trials(asked, gpus, seconds, added_up):
    assert limit(asked, gpus=gpus) == (seconds, added_up)


@pytest.mark.parametrize("asked", ["", "2", "0h", "-1h", "1e3h", "gpuh", "10 gpuh", "nanh"])
def test_no_budget(asked):
    with pytest.raises(UsageError, match="--budget must be > 0, .* such as 10gpuh"):
        limit(asked, gpus=1)


def test_gpu_hours_need_gpus_and_one_data_set():
    with pytest.raises(UsageError, match="--budget 1gpuh needs trials on GPUs"):
        limit("1gpuh", gpus=0)
    with pytest.raises(UsageError, match="one data set, but got 2"):
        check_budget("1h", gpus=0, data_sets=2)
