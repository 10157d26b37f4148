"""`plan NAME`: everything before anything runs, as a user calls it."""

import json
import re

import pytest

from orchestrator.planning import ask
from orchestrator.storage import Storage
from search_spaces.sweep import load
from tests import made
from tests.orchestrator.command import TINY
from tests.orchestrator.tracked import EPOCHS, record
from trainables.presets import PRESETS

PLAN = ["plan", "loss", "--data", "tones", *TINY, "--set", f"epochs={EPOCHS}"]
SWEEP = ["sweep", *PLAN[1:]]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder in whose storage `old` one trial of each loss took 8 s; in `runs` nothing."""
    folder = tmp_path_factory.mktemp("user")
    data = made.make(folder / "tones")
    settings = dict(part.split("=") for part in TINY[1::2]) | {"epochs": EPOCHS}
    question = ask(load("loss"), preset=PRESETS["demo"], settings=settings, seeds=1, data=data)
    storage = Storage(str(folder / "old"))
    storage.write_plan(question.to_dict())
    for trial in question.plan(storage).trials:
        record(storage, trial)
    return folder


def test_a_new_plan_says_what_it_does_not_know(call, folder):
    code, out, _ = call(*PLAN)
    assert code == 0
    assert "time:  unknown of 2 trials: --probe measures it" in out
    assert re.search(r"loss=matching seed=0  also of .*baseline", out)
    nothing = "shows: nothing with fewer than 5 seeds; --seeds 5: differences from "
    assert re.search(nothing + r"[\d.]+ points .* 5 seeds and 4 test classes", out)
    assert out.endswith("2 trials: 0 recorded in runs, 2 to run. 2 are shared with other sweeps.\n")
    assert not (folder / "runs").exists()


def test_earlier_trials_tell_time_and_changes(call):
    more = [*PLAN, "--storage", "old", "--seeds", "3", "--max-concurrent", "2", "--json"]
    code, out, _ = call(*more)
    found = json.loads(out)
    assert code == 0
    assert [t["recorded"] for t in found["trials"]] == [True, False, False] * 2
    told = found["estimate"]  # four trials of 8 s, two at once, no GPU
    assert (told["source"], told["at_once"], told["seconds"]) == ("records", 2, 16.0)
    assert (told["gpu_hours"], told["price"]) == (0.0, None)
    assert found["changes"]["seeds"] == [1, 3]
    assert len(found["changes"]["added"]) == 4
    assert found["smallest_difference"]["classes"] == 4


def test_a_budget_leaves_out_and_says_so(call):
    asked = [*PLAN, "--storage", "old", "--seeds", "3", "--max-concurrent", "1"]
    code, out, _ = call(*asked, "--budget", "0.3m")  # two of 8 s
    assert code == 0
    assert "left out by the budget: 2 trials: loss=matching seed=2, loss=triplet seed=2" in out
    assert "4 trials: 2 recorded in old, 2 to run." in out
    found = json.loads(call(*asked, "--budget", "0.3m", "--json")[1])
    assert [t["left_out"] for t in found["trials"]] == [False] * 4 + [True] * 2


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        ([*PLAN, "--budget", "soon"], "--budget must be > 0, .* but got 'soon'"),
        ([*PLAN, "--budget", "1gpuh"], "--gpus-per-trial is 0"),
        ([*PLAN, "--budget", "1h"], "no record tells it of 2 of 2, .*: add --probe"),
        (["plan", "--all", "--probe"], "--budget and --probe are for one sweep"),
        ([*SWEEP, "--budget", "1h"], "no record tells it of 2 of 2, .*: add --probe"),
        ([*SWEEP, "--probe"], "--probe is for --budget"),
        ([*SWEEP, "--tune-first", "--budget", "1h"], "--tune-first adds trials"),
        (["sweep", "tune", "--budget", "1h"], "tune is a search"),
    ],
)
def test_wrong_calls_are_usage_errors_of_one_line(call, arguments, line):
    code, _, err = call(*arguments)
    assert code == 2, err
    assert re.search(line, err), err
    assert "Traceback" not in err
