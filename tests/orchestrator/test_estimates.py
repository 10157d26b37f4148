"""Costs told from records, worked by hand: 2 s an epoch on 60 images."""

import dataclasses
import json
from pathlib import Path

import pytest

from data_shards.errors import UsageError
from orchestrator.costs import Cost, Costs, Price, kind_of, together
from orchestrator.estimates import at_once, from_records, within
from orchestrator.planning import ask
from orchestrator.resources import Resources
from orchestrator.storage import Storage
from search_spaces.sweep import load
from tests import made
from tests.orchestrator.tracked import EPOCHS, record
from trainables.presets import PRESETS

ASKED = {"preset": PRESETS["demo"], "seeds": 1}
SMALL = {"batch_size": 16, "epochs": EPOCHS}


@pytest.fixture
def data(tmp_path):
    return made.make(tmp_path / "tones")


@pytest.fixture
def storage(tmp_path):
    return Storage(str(tmp_path / "runs"))


def _record(storage, question, count=1):
    storage.write_plan(question.to_dict())
    for trial in question.plan(storage).trials[:count]:
        record(storage, trial)


def test_what_is_no_epoch_is_setup(storage, data):
    question = ask(load("gamma"), data=data, settings=SMALL, **ASKED)
    _record(storage, question)
    (cost,) = from_records(question, data, storage, gpus=0).by_kind.values()
    assert (cost.epoch, cost.setup) == (2.0, 0.0)
    assert cost.seconds(10) == 20.0


def test_other_numbers_and_seeds_are_the_same_kind_but_not_other_parts(storage, data):
    base = ask(load("gamma"), data=data, settings=SMALL, **ASKED).base
    same = base.replace(gamma=3.0, seed=4, epochs=99, learning_rate=0.1, data="e" * 16)
    assert kind_of(same) == kind_of(base)
    for changes in ({"loss": "triplet"}, {"image_attention": "B4"}, {"batch_size": 8}):
        assert kind_of(base.replace(**changes)) != kind_of(base)


@pytest.mark.parametrize(
    "odd",
    [
        {"experiment": {"data": "x", "image_encoder": "removed"}},
        {"experiment": {"data": "x", "no_such_field": 1}},
        {"environment": {}},
        None,
    ],
)
def test_a_record_that_cannot_be_read_is_passed_over(storage, data, odd):
    question = ask(load("gamma"), data=data, settings=SMALL, **ASKED)
    _record(storage, question)
    trial_id = question.plan(storage).trials[0].id
    path = Path(storage.url) / "records" / "000000000000.json"
    whole = storage.record(trial_id)
    path.write_text("{" if odd is None else json.dumps(whole | {"trial_id": path.stem} | odd))
    (cost,) = from_records(question, data, storage, gpus=0).by_kind.values()
    assert cost.epoch == 2.0


def test_records_of_other_data_are_scaled_by_its_images(storage, data, tmp_path):
    _record(storage, ask(load("gamma"), data=data, settings=SMALL, **ASKED))
    twice = made.make(tmp_path / "more", per_class=12)
    question = ask(load("gamma"), data=twice, settings=SMALL, **ASKED)
    (cost,) = from_records(question, twice, storage, gpus=0).by_kind.values()
    assert cost.epoch == 4.0


def test_a_trial_on_a_cpu_tells_nothing_of_a_gpu(storage, data):
    question = ask(load("gamma"), data=data, settings=SMALL, **ASKED)
    _record(storage, question)
    assert not from_records(question, data, storage, gpus=1).by_kind


def test_a_budget_needs_a_cost_for_every_kind(storage, data):
    question = ask(load("loss"), data=data, settings=SMALL, **ASKED)
    resources = Resources(max_concurrent=1)
    costs = from_records(question, data, storage, gpus=0)
    with pytest.raises(UsageError, match="no record tells it of 2 of 2, e.g. loss=.*: add --probe"):
        within(question, "1h", costs, storage, resources)
    record(storage, question.plan(storage).trials[0])
    costs = from_records(question, data, storage, gpus=0)
    with pytest.raises(UsageError, match="of 1 of 1, e.g. loss=triplet"):
        within(question, "1h", costs, storage, resources)


def test_a_budget_from_records(storage, data):
    question = ask(load("gamma"), data=data, settings=SMALL, **ASKED)
    _record(storage, question)  # a trial takes 8 s; five are left
    costs = from_records(question, data, storage, gpus=0)
    plan = within(question, "0.3m", costs, storage, Resources(max_concurrent=1)).plan(storage)
    assert [len(plan.trials), len(plan.left_out)] == [3, 3]


def test_a_budget_too_small_for_one_trial_is_refused(storage, data):
    question = ask(load("gamma"), data=data, settings=SMALL, **ASKED)
    cost = Cost(epoch=2.0, setup=0.0)
    costs = Costs("probe", {kind_of(question.base): cost})
    with pytest.raises(UsageError, match="but got 0.1m, and gamma=1 seed=0 takes about 8 s"):
        within(question, "0.1m", costs, storage, Resources(max_concurrent=1))


def test_together_the_longest_bounds_it(storage, data):
    question = ask(load("gamma"), data=data, settings=SMALL, **ASKED)
    _record(storage, question)
    costs = from_records(question, data, storage, gpus=0)
    price = costs.price(question.base)
    long = Price(dataclasses.replace(price.cost, once=3.0), 30.0)
    assert together([price, price, price], at_once=2) == 12.0
    assert together([price, price, long], at_once=2) == 33.0
    assert together([], at_once=2) == 0.0


def test_as_many_at_once_as_this_machine_holds(monkeypatch):
    monkeypatch.setattr("os.cpu_count", lambda: 8)
    assert at_once(Resources()) == 8
    assert at_once(Resources(cpus_per_trial=2, loader_workers=1)) == 2
    assert at_once(Resources(cpus_per_trial=64)) == 1
    assert at_once(Resources(max_concurrent=20)) == 20
