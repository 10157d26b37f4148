"""Progress from a storage made by hand."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from orchestrator import status
from orchestrator.planning import Question
from orchestrator.status import plan_status
from orchestrator.status_lines import lines
from orchestrator.storage import Storage
from search_spaces.sweep import load
from tests.orchestrator.tracked import record, reports
from trainables.experiment import Experiment

BASE = Experiment(image_encoder="small", epochs=4, data="d" * 16)
LAST = 1_700_000_004.5  # when `reports(2)` came last


@pytest.fixture
def storage(tmp_path):
    return Storage(str(tmp_path / "runs"))


@pytest.fixture
def question(storage):
    question = Question(load("gamma"), BASE, 1, "tones")
    storage.write_plan(question.to_dict())
    first, second, *_ = question.plan(storage).trials
    record(storage, first)
    storage.write_reports(second.id, reports(2))
    return question


def test_recorded_under_way_and_to_run(storage, question):
    found = plan_status(question, storage, now=LAST + 90)
    states = [(t.name, t.state, t.epoch, t.epochs, t.seconds_ago) for t in found.trials]
    assert states[:3] == [
        ("gamma=1 seed=0", "recorded", 4, 4, None),
        ("gamma=5 seed=0", "under way", 2, 4, 90),
        ("gamma=10 seed=0", "to run", 0, 4, None),
    ]
    assert [found.count(state) for state in ("recorded", "under way", "to run")] == [1, 1, 4]
    assert "stage 2" in found.undecided


def test_the_lines_for_people(storage, question):
    text = "\n".join(lines(plan_status(question, storage, now=LAST + 600)))
    assert "epoch 2 of 4, reported 10 min ago, 4 s left" in text
    assert "undecided     stage 2" in text
    assert "best so far:  gamma=1 seed=0, R@1 sum 45.0" in text
    # 2 epochs and 4 trials of 4, two seconds an epoch
    assert "left:         about 36 s with 1 at once, and what is undecided" in text
    assert text.endswith("6 trials: 1 recorded, 1 under way, 4 to run.")


def test_a_trial_without_a_sign_has_stopped(storage, question):
    """As a killed command leaves it: nobody takes back its reports."""
    found = plan_status(question, storage, now=LAST + 720)
    assert (found.trials[1].state, found.count("under way")) == ("stopped", 0)
    assert found.seconds_left is None
    text = "\n".join(lines(found))
    assert "epoch 2 of 4, no sign for 12 min: stopped?" in text
    assert text.endswith("4 to run, 1 stopped (the same command goes on).")


def test_slow_epochs_are_no_stop(storage, question):
    first, second = reports(2)
    slow = [first, second | {"time": first["time"] + 3600}]
    storage.write_reports(question.plan(storage).trials[1].id, slow)
    assert plan_status(question, storage, now=first["time"] + 9000).trials[1].state == "under way"


def test_a_damaged_record_is_said(storage, question):
    """Though the sweep decides by it what comes next."""
    first = question.plan(storage).trials[0]
    (Path(storage.url) / "records" / f"{first.id}.json").write_text('{"schema": 1, "tri')
    found = plan_status(question, storage, now=LAST)
    assert (found.trials[0].state, found.count("recorded")) == ("damaged", 0)
    assert "1 damaged (the same command sets the record aside" in "\n".join(lines(found))


def test_all_recorded_leaves_nothing_undecided(storage, question):
    for _ in range(2):
        for trial in question.plan(storage).trials:
            record(storage, trial)
    found = plan_status(question, storage)
    assert found.undecided == ""
    assert found.count("recorded") == len(found.trials) > 6
    assert found.is_done


def test_a_clock_that_is_ahead_is_now(storage, question):
    assert plan_status(question, storage, now=LAST - 5).trials[1].seconds_ago == 0


def _command(*arguments):
    code = (
        "import sys; from orchestrator.__main__ import main\n"
        "try: main()\n"
        "finally: print([m for m in ('torch', 'ray', 'mlflow') if m in sys.modules])"
    )
    return subprocess.run(
        [sys.executable, "-c", code, "status", *arguments], capture_output=True, text=True
    )


def test_the_command_loads_neither_ray_nor_torch(storage, question):
    done = _command("gamma", "--storage", storage.url, "--json")
    assert done.returncode == 0, done.stderr
    answer, loaded = done.stdout.splitlines()
    assert loaded == "[]"
    (plan,) = json.loads(answer)["plans"]
    assert (plan["recorded"], plan["stopped"], plan["to run"]) == (1, 1, 4)  # its reports are old
    assert plan["trials"][1]["id"] == question.plan(storage).trials[1].id
    assert "6 trials: 1 recorded" in _command("gamma", "--storage", storage.url).stdout


def test_without_a_name_all_of_the_storage_in_short(storage, question):
    storage.write_plan(Question(load("loss"), BASE, 1, "tones").to_dict())
    done = _command("--storage", storage.url)
    assert done.returncode == 0, done.stderr
    text = done.stdout
    assert f"gamma, plan {question.plan_id}: data tones" in text
    assert "  best so far:  gamma=1 seed=0, R@1 sum 45.0" in text
    assert "loss, plan" in text
    assert "  2 trials: 0 recorded, 0 under way, 2 to run." in text
    assert question.plan(storage).trials[0].id not in text


def test_an_empty_storage_is_said(storage):
    done = _command("--storage", storage.url)
    assert done.returncode == 2
    assert "a sweep must have been run" in done.stderr


def test_a_sweep_that_was_never_run_is_said(storage, question):
    done = _command("loss", "--storage", storage.url)
    assert done.returncode == 2
    assert "has none of loss" in done.stderr
    assert "Did you mean 'gamma'" in _command("gama", "--storage", storage.url).stderr


def test_reports_of_trials_that_have_none_are_not_asked_for(storage, question, monkeypatch):
    """A plan of thousands of trials on an object store: a listing, not a request for each."""
    asked = []
    read = Storage.reports
    monkeypatch.setattr(Storage, "reports", lambda self, id_: asked.append(id_) or read(self, id_))
    status.plan_status(question, storage)
    assert asked == [question.plan(storage).trials[1].id]
