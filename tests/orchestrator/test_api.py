"""Sweeps from Python: the command line's words, a number a row."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

import orchestrator
from data_shards.errors import UsageError
from orchestrator.api import Options, _words, results, run
from orchestrator.cli.sweeps import sweep
from orchestrator.planning import Question
from orchestrator.storage import Storage
from search_spaces.sweep import load
from tests import made
from tests.orchestrator.tracked import BASE, record

TINY = {"image_size": 64, "batch_size": 16, "embedding": 16, "speech_attention_hidden": 8}


def test_the_keywords_are_the_options():
    options = {param.name for param in sweep.params} - {"name", "as_json"}
    assert set(Options.__annotations__) == options


def test_values_become_words():
    options = {
        "data": {"oxford102": "data/flowers", "cub200": Path("data/cub")}, "seeds": 3,
        "settings": {"epochs": 6, "image_attention": True, "gamma": 0.5}, "also": ["a", "b"],
        "weights": Path("w"), "autoscale": True, "tune_first": False, "study": None,
    }  # fmt: skip
    assert _words(options) == [
        "--data=oxford102=data/flowers", "--data=cub200=data/cub", "--seeds=3",
        "--set=epochs=6", "--set=image_attention=on", "--set=gamma=0.5", "--also=a", "--also=b",
        "--weights=w", "--autoscale",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "options", "line"),
    [
        ("gama", {}, "Did you mean 'gamma'"),
        ("gamma", {"seed": 3}, "--seed is for searches"),
        ("gamma", {"sedes": 3}, "a keyword of run must be one of .* Did you mean 'seeds'"),
        ("gamma", {"as_json": True}, "a keyword of run must be one of"),
        ("gamma", {"seeds": "many"}, "'many' is not a valid integer"),
        ("gamma", {"settings": {"epoch": 3}}, "Did you mean 'epochs'"),
        ("gamma", {"max_failures": -1}, "-1 is not in the range"),
    ],
)
def test_wrong_calls_are_the_command_lines_errors(name, options, line, tmp_path):
    with pytest.raises(UsageError, match=line):
        run(name, storage=tmp_path / "runs", **options)


def test_the_package_is_imported_without_what_is_heavy():
    code = (
        "import sys, orchestrator\n"
        "assert not {'click', 'pandas', 'ray', 'torch'} & sys.modules.keys()\n"
        "from orchestrator import run, results\n"
        "assert not {'ray', 'torch'} & sys.modules.keys()"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
    with pytest.raises(AttributeError, match="no attribute 'sweeep'"):
        _ = orchestrator.sweeep


def test_results_have_a_row_a_number(tmp_path):
    storage = Storage(str(tmp_path))
    for seeds, base in ((2, BASE), (1, BASE.replace(epochs=8))):
        question = Question(load("gamma"), base, seeds, "tones")
        storage.write_plan(question.to_dict())
        record(storage, question.plan(storage).trials[0])
    found = results("gamma", tmp_path)
    assert list(found.columns) == [
        "sweep", "dataset", "plan", "trial", "cell", "gamma", "seed", "chosen_on", "split",
        "direction", "metric", "value",
    ]  # fmt: skip
    assert len(found) == 2 * 3  # two plans with a trial each: r1_sum of val, two R@1 of test
    one = found[found["plan"] == question.plan_id]
    numbers = list(zip(one["split"], one["direction"], one["metric"], one["value"], strict=True))
    assert numbers == [
        ("val", "both", "r1_sum", 45.0), ("test", "i2s", "r1", 50.0), ("test", "s2i", "r1", 40.0),
    ]  # fmt: skip
    with pytest.raises(UsageError, match="has none of loss"):
        results("loss", tmp_path)


SCRIPT = """
import json, sys
from data_shards.errors import DataError
from orchestrator import run
from orchestrator.planning import Question
from orchestrator.runner import Runner
from orchestrator.storage import Storage
from search_spaces.sweep import load
from tests.orchestrator.tracked import BASE

options = json.loads(sys.argv[1])
run("loss", **options).to_csv("first.csv", index=False)
Storage(options["storage"]).write_plan(Question(load("loss"), BASE, 1, "tones").to_dict())
print("again", file=sys.stderr)
run("loss", **options).to_csv("again.csv", index=False)
Runner.run = lambda self: None  # as if every trial had failed
try:
    run("loss", **options | {"settings": options["settings"] | {"epochs": 2}})
except DataError as error:
    print("raised:", error, file=sys.stderr)
"""


@pytest.fixture(scope="module")
def script(tmp_path_factory):
    """A user's script that has run: its output and folder. Ray is started in it, not here."""
    folder = tmp_path_factory.mktemp("user")
    made.make(folder / "tones")
    options = {
        "data": "tones", "storage": "runs", "settings": TINY | {"epochs": 1},
        "tracking_uri": "sqlite:///mlflow.db",
    }  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, json.dumps(options)],
        cwd=folder, capture_output=True, text=True, timeout=500,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done, folder


@pytest.mark.slow
def test_a_sweep_returns_its_numbers(script):
    _, folder = script
    found = pd.read_csv(folder / "first.csv")
    assert set(found["loss"]) == {"matching", "triplet"}
    storage = Storage(str(folder / "runs"))
    for trial_id, rows in found.groupby("trial"):
        test = storage.record(trial_id)["test"]
        assert len(rows) == len(test) + 1  # and the metric it was chosen by
        (row,) = rows[(rows["direction"] == "s2i") & (rows["metric"] == "map50")].itertuples()
        assert row.value == pytest.approx(test["s2i_map50"])


@pytest.mark.slow
def test_the_same_call_again_runs_nothing_and_returns_the_same(script):
    """Its own plan, though another one of the sweep has come to the storage."""
    done, folder = script
    assert (folder / "again.csv").read_text() == (folder / "first.csv").read_text()
    assert "plan: 2 trials, 2 to run" in done.stderr.partition("again\n")[0]
    assert "plan: 2 trials, 0 to run" in done.stderr.partition("again\n")[2]


@pytest.mark.slow
def test_nothing_goes_to_stdout(script):
    assert script[0].stdout == ""


@pytest.mark.slow
def test_a_trial_without_a_record_is_an_error(script):
    assert "raised: every trial of loss must have a record" in script[0].stderr
