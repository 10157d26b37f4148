"""All sweeps together, worked by hand: two share a trial, one of the others is recorded."""

import json

import pytest

from data_shards.errors import UsageError
from orchestrator.overview import lines, overview
from orchestrator.planning import ask
from orchestrator.storage import Storage
from search_spaces.sweep import load
from tests import made
from tests.orchestrator.command import TINY, run
from trainables.presets import PRESETS


@pytest.fixture
def questions(tmp_path):
    data = made.make(tmp_path / "tones")
    settings = dict(part.split("=") for part in TINY[1::2])
    asked = {"preset": PRESETS["demo"], "settings": settings, "seeds": 1, "data": data}
    return {name: ask(load(name), **asked) for name in ("loss", "point", "speech_attention")}


def test_a_shared_trial_counts_once(questions, tmp_path):
    storage = Storage(str(tmp_path / "runs"))
    point = questions["point"].plan(storage).trials
    losses = {trial.id for trial in questions["loss"].plan(storage).trials}
    assert len(losses) == 2
    assert {trial.id for trial in point} < losses  # the preset's own loss
    (other,) = losses - {trial.id for trial in point}
    storage.write_record({"trial_id": other, "selection": {"value": 1.0}}, {})
    found = overview(questions, storage)
    assert [(r["sweep"], r["trials"], r["shared"], r["recorded"]) for r in found.rows()] == [
        ("loss", 2, 0, 1), ("point", 1, 1, 0), ("speech_attention", 2, 1, 0),
    ]  # fmt: skip
    assert (found.asked, len(found.distinct)) == (5, 3)
    assert lines(found, storage="runs")[-1] == (
        "5 trials in these tables, 3 distinct: 1 recorded in runs, 2 to run."
    )


def test_a_sweep_that_the_data_cannot_serve_is_a_row_that_says_why(questions, tmp_path):
    storage = Storage(str(tmp_path / "runs"))
    found = overview({"speakers": UsageError("too few voices."), **questions}, storage)
    assert "speakers" not in {row["sweep"] for row in found.rows()}
    assert found.to_dict()["refused"] == {"speakers": "too few voices."}
    (row,) = (line for line in lines(found, storage="runs") if line.startswith("speakers"))
    assert row.split() == ["speakers", "not", "here", "too", "few", "voices."]
    assert found.asked == overview(questions, storage).asked


def test_data_that_can_serve_no_sweep_is_one_line(tmp_path):
    made.make(tmp_path / "tones")
    wrong = ["--data", "tones", *TINY, "--set", "batch_size=61"]
    done = run("plan", "--all", *wrong, folder=tmp_path)
    assert done.returncode == 2
    assert "batch_size must be at most the number of training images, 60" in done.stderr
    assert done.stdout == ""


def test_the_command_counts_every_sweep_but_searches(tmp_path):
    made.make(tmp_path / "tones")
    done = run("plan", "--all", "--data", "tones", *TINY, "--json", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    names = {row["sweep"] for row in found["sweeps"]}
    assert {"gamma", "loss", "attention_placement"} <= names
    assert "tune" not in names
    assert "at least 3 voices" in found["refused"]["speakers"]
    assert found["distinct"] < found["trials"] == sum(row["trials"] for row in found["sweeps"])


@pytest.mark.parametrize("arguments", [[], ["gamma", "--all"]])
def test_either_a_name_or_all(tmp_path, arguments):
    done = run("plan", *arguments, folder=tmp_path)
    assert done.returncode == 2
    assert "plan needs the NAME of a sweep, or --all" in done.stderr
    assert "Traceback" not in done.stderr
