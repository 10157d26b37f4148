"""`sweep tune` end to end: real Ray, real Optuna, real MLflow, real shards, as a user runs it."""

import json
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request

import mlflow
import optuna
import pytest

from data_shards import manifest
from orchestrator.search.question import ask_search
from orchestrator.search.study import Study
from orchestrator.storage import Storage
from search_spaces.sweep import load
from tests import made
from tests.orchestrator.command import TINY, run
from tests.other_model import of_another_model
from trainables.presets import PRESETS

ARGUMENTS = ["sweep", "tune", "--data", "tones", "--set", "epochs=3", *TINY, "--study", "mine"]
TRIALS = 6


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("user")
    made.make(folder / "tones")
    return folder


@pytest.fixture(scope="module")
def first(folder):
    return run(*ARGUMENTS, "--trials", str(TRIALS), folder=folder)


@pytest.fixture
def port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _books(folder):
    return Storage(str(folder / "runs")).study_trials("mine")


def test_the_answer_is_printed_with_what_it_cost(first, folder):
    assert first.returncode == 0, first.stderr
    books = _books(folder)
    complete = [entry for entry in books if entry["state"] == "COMPLETE"]
    spent = sum(len(entry["values"]) for entry in books)
    assert f"{TRIALS} trials: {len(complete)} complete, " in first.stdout
    assert f"{spent} epochs spent of {TRIALS * 3}" in first.stdout
    assert "best: gamma=" in first.stdout
    assert "python -m orchestrator sweep point --preset demo --set " in first.stdout
    assert " --seeds 5 --data tones --storage runs\n" in first.stdout


def test_the_books_hold_every_trial_as_it_ended(first, folder):
    books = _books(folder)
    assert [entry["number"] for entry in books] == list(range(TRIALS))
    for entry in books:
        assert entry["state"] == ("COMPLETE" if len(entry["values"]) == 3 else "PRUNED")


def test_the_test_split_is_never_read(first, folder):
    """No record is written, and no column of the test split was ever derived."""
    assert Storage(str(folder / "runs")).record_ids() == set()
    columns = {path.name.split("-")[0] for path in (folder / "cache").glob("*-*")}
    assert columns == {"train", "val"}
    assert not list((folder / "runs" / "checkpoints").glob("*/*"))


def test_mlflow_shows_complete_trials_finished_and_stopped_ones_killed(first, folder):
    client = mlflow.MlflowClient(f"sqlite:///{folder}/mlflow.db")
    (experiment,) = [e for e in client.search_experiments() if "tune" in e.name]
    runs = client.search_runs([experiment.experiment_id])
    children = {r.data.tags["vfsel.trial_id"]: r for r in runs if "vfsel.trial_id" in r.data.tags}
    (parent,) = [r for r in runs if "vfsel.trial_id" not in r.data.tags]
    books = _books(folder)
    assert parent.info.status == "FINISHED"
    assert parent.data.metrics["best_r1_sum"] == max(max(e["values"].values()) for e in books)
    assert len(children) == TRIALS
    told = sorted({"COMPLETE": "FINISHED", "PRUNED": "KILLED"}[e["state"]] for e in books)
    assert sorted(child.info.status for child in children.values()) == told
    for child in children.values():
        assert "s2i_r1" in child.data.metrics
        assert "i2s_map50" in child.data.metrics


@pytest.mark.slow
def test_more_trials_go_on_and_the_same_again_does_nothing(first, folder):
    before = _books(folder)
    again = run(*ARGUMENTS, "--trials", str(TRIALS), folder=folder)
    assert again.returncode == 0
    assert again.stdout == first.stdout
    more = run(*ARGUMENTS, "--trials", str(TRIALS + 2), "--json", folder=folder)
    assert more.returncode == 0, more.stderr
    assert _books(folder)[:TRIALS] == before
    assert sum(json.loads(more.stdout)["trials"].values()) == TRIALS + 2


def test_another_space_under_the_same_name_is_refused(first, folder):
    done = run(*ARGUMENTS, "--also", "image_attention", folder=folder)
    assert done.returncode == 2
    assert "a study must keep its space and settings" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_report_has_table_page_and_pictures(first, folder):
    done = run("report", "tune", "--out", "report", folder=folder)
    assert done.returncode == 0, done.stderr
    page = (folder / "report" / "tune-mine.md").read_text()
    assert "best: gamma=" in page
    assert "| learning_rate | 0.0001 to 0.01, logarithmic |" in page
    rows = (folder / "report" / "tune-mine.csv").read_text().splitlines()
    assert len(rows) == 1 + len(_books(folder))
    for path in done.stdout.split():
        assert (folder / path).stat().st_size > 0
        assert not path.endswith(".png") or path.split("/")[-1] in page


@pytest.mark.slow
def test_optuna_dashboard_opens_the_export(first, folder, port):
    for _ in range(2):  # an export is a copy: it may be made again
        done = run("report", "tune", "--export-study", "sqlite:///export.db", folder=folder)
        assert done.returncode == 0, done.stderr
    study = optuna.load_study(study_name="tune-mine", storage=f"sqlite:///{folder}/export.db")
    assert [t.state.name for t in study.trials] == [entry["state"] for entry in _books(folder)]
    server = subprocess.Popen(
        [sys.executable, "-c", "from optuna_dashboard._cli import main; main()",
         f"sqlite:///{folder}/export.db", "--host", "127.0.0.1", "--port", str(port)],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        listed = _get(f"http://127.0.0.1:{port}/api/studies")
    finally:
        server.kill()
        server.wait()
    assert [found["study_name"] for found in listed["study_summaries"]] == ["tune-mine"]


def _get(url):
    deadline = time.monotonic() + 60
    while True:
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:
                return json.load(answer)
        except (urllib.error.URLError, OSError):
            assert time.monotonic() < deadline, "the dashboard does not answer"
            time.sleep(0.2)


@pytest.mark.slow
def test_a_trial_that_fails_is_told_so_and_the_search_goes_on(folder, tmp_path):
    """The first trial's checkpoint is of another model: its training raises, and would again."""
    settings = dict(part.split("=") for part in [*TINY[1::2], "epochs=3"])
    question = ask_search(
        load("tune"), data=manifest.load(folder / "tones"), preset=PRESETS["demo"], also=(),
        settings=settings, sampler="tpe", pruner="asha", min_epochs=1, seed=0, name="broken",
    )  # fmt: skip
    study = Study(question, Storage(str(tmp_path)))
    broken = study.trial(study.ask()).id
    of_another_model(Storage(str(folder / "runs")).checkpoints_url(broken))
    done = run(*ARGUMENTS[:-1], "broken", "--trials", "2", folder=folder)
    assert done.returncode == 0, done.stderr
    said = "a model's state must fit its experiment"
    assert done.stderr.count(said) == 2  # as it fails, and at the end
    books = Storage(str(folder / "runs")).study_trials("broken")
    assert [entry["state"] for entry in books] == ["FAIL", "COMPLETE"]
    assert said in books[0]["reason"]


@pytest.mark.slow
def test_a_time_budget_ends_the_search_and_leaves_the_rest_to_the_next_command(folder):
    arguments = [*ARGUMENTS[:-1], "hurried", "--set", "epochs=400", "--pruner", "none"]
    done = run(*arguments, "--trials", "4", "--time-budget", "15s", folder=folder)
    assert done.returncode == 1  # no trial was trained to its end
    assert "No answer yet" in done.stdout
    assert "before 4 trials have ended; the same command goes on" in done.stdout
    books = Storage(str(folder / "runs")).study_trials("hurried")
    assert 1 <= len(books) <= 4
    assert {entry["state"] for entry in books} == {"RUNNING"}
    assert "Traceback" not in done.stderr
