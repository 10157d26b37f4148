"""`--tune-first`: arms searched with equal budgets, claimed with other seeds, never mixed."""

import dataclasses
import json

import pytest
from click.testing import CliRunner

from data_shards.errors import DataError, UsageError
from orchestrator import tuning
from orchestrator.cli import cli
from orchestrator.planning import Tuned, asked_before
from orchestrator.search.answers import SearchAnswer
from orchestrator.search.study import Entry
from orchestrator.storage import Storage
from orchestrator.tuning import SEED, Budget, arms_of, check_tunable
from tests import made
from tests.orchestrator.command import TINY, run
from tests.orchestrator.report.recorded import asked

POINTS = {"loss=matching": {"gamma": 7.0}, "loss=triplet": {"margin": 0.5}}


@pytest.fixture
def storage(tmp_path):
    return Storage(str(tmp_path / "runs"))


def tuned(question):
    return dataclasses.replace(
        question, tuned=Tuned(POINTS, dict.fromkeys(POINTS, "0"), 3, "tpe", "asha", None)
    )


def test_claims_are_trained_at_the_points_that_were_found(storage):
    question = asked("loss", seeds=2)
    claims = {t.name: t.experiment.flat() for t in tuned(question).plan(storage).trials}
    assert claims["loss=matching seed=1"]["gamma"] == 7.0
    assert claims["loss=triplet seed=0"]["margin"] == 0.5
    before = {trial.id for trial in question.plan(storage).trials}
    assert not before & {trial.id for trial in tuned(question).plan(storage).trials}


def test_a_tuned_plan_is_another_plan_and_is_kept_whole(storage):
    question = tuned(asked("loss", seeds=2))
    assert question.plan_id != asked("loss", seeds=2).plan_id
    storage.write_plan(question.to_dict())
    (again,) = asked_before("loss", storage)
    assert again == question


def test_an_untuned_plan_has_the_id_that_it_always_had():
    assert "tuned" not in asked("loss").to_dict()


def test_arms_are_the_cells(storage):
    arms = arms_of(tuned(asked("loss", seeds=3)), storage)
    assert set(arms) == {"loss=matching", "loss=triplet"}
    assert arms["loss=matching"].flat()["gamma"] == 13.0


@pytest.mark.parametrize(
    ("sweep", "settings", "message"),
    [
        ("gamma", {}, "arms that are known beforehand, but gamma refines a number"),
        ("loss", {"selection": "test"}, "never on the test split, but got selection=test"),
        ("loss", {"selection": "last"}, "held-out classes .* but got selection=last"),
    ],
)
def test_what_cannot_be_tuned_is_said(sweep, settings, message):
    with pytest.raises(UsageError, match=message):
        check_tunable(asked(sweep, **settings), min_epochs=None)


def test_an_arm_that_was_given_more_trials_before_has_no_advantage(storage):
    question = asked("loss")
    budget = Budget(trials=2, sampler="tpe", pruner="asha", min_epochs=None)
    books = [Entry(n, {"gamma": float(n)}, "COMPLETE", {1: 10.0 * n}) for n in range(1, 4)]
    search = tuning._search_of(question, question.base, budget)
    assert tuning._best(SearchAnswer(search, books), "an arm", budget) == {"gamma": 2.0}
    for entry in books:
        entry.state = "FAIL"
    with pytest.raises(DataError, match="but an arm has none of 2: see why they failed"):
        tuning._best(SearchAnswer(search, books), "an arm", budget)


def test_status_shows_the_arms_while_they_are_tuned(storage):
    question = asked("loss")
    budget = Budget(trials=2, sampler="tpe", pruner="asha", min_epochs=None)
    search = tuning._search_of(question, question.base, budget)
    storage.write_study(search.study_id, search.to_dict())
    found = CliRunner().invoke(cli, ["status", "loss", "--storage", storage.url])
    assert found.exit_code == 0, found.output
    assert search.study_id in found.output


def test_early_stopping_may_not_begin_late():
    with pytest.raises(UsageError, match="--min-epochs must be in 1–3"):
        check_tunable(asked("loss", epochs="10"), min_epochs=4)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["loss", "--tune-first", "--trials", "0"], "--trials must be >= 1, but got 0"),
        (["loss", "--tune-first", "--sampler", "grid"], "--sampler"),
        (["loss", "--tune-first", "--time-budget", "1h"], "--time-budget is for searches"),
        (["tune", "--tune-first"], "--tune-first is for sweeps of arms, but tune is a search"),
    ],
)
def test_options_that_cannot_be_are_one_line(arguments, message, tmp_path):
    found = run("sweep", *arguments, folder=tmp_path)
    assert found.returncode == 2
    assert message in found.stderr
    assert len(found.stderr.strip().splitlines()) == 1


@pytest.mark.slow
def test_tuned_then_claimed_and_nothing_is_done_twice(tmp_path):
    made.make(tmp_path / "tones")
    arguments = ["sweep", "loss", "--data", "tones", "--tune-first", "--trials", "2", "--seeds",
                 "2", "--set", "epochs=1", *TINY, "--json"]  # fmt: skip
    first = run(*arguments, folder=tmp_path)
    assert first.returncode == 0, first.stderr
    storage = Storage(str(tmp_path / "runs"))
    assert len(storage.studies()) == 2
    for study in storage.studies():
        assert study["base"]["seed"] == SEED
    (question,) = asked_before("loss", storage)
    assert {trial.experiment.seed for trial in question.plan(storage).trials} == {0, 1}
    assert storage.record_ids() == {trial.id for trial in question.plan(storage).trials}
    best = json.loads((next((tmp_path / "runs" / "plans").glob("*.json"))).read_text())["tuned"]
    assert all(len(point) == 3 for point in best["points"].values())
    again = run(*arguments, folder=tmp_path)
    assert "plan: 4 trials, 0 to run" in again.stderr
    assert json.loads(again.stdout) == json.loads(first.stdout)
