"""`sweep` end to end: real Ray, real MLflow on SQLite, real shards, as a user runs it."""

import json

import mlflow
import pytest

from orchestrator.storage import Storage
from orchestrator.version import package_versions
from tests import made
from tests.orchestrator.command import TINY, run
from tests.other_model import of_another_model

ARGUMENTS = ["--data", "tones", "--set", "epochs=2", *TINY]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A working folder in which `sweep loss` has run."""
    folder = tmp_path_factory.mktemp("user")
    made.make(folder / "tones")
    return folder


@pytest.fixture(scope="module")
def first(folder):
    return run("sweep", "loss", *ARGUMENTS, folder=folder)


def test_the_answer_is_printed_beside_chance(first):
    assert first.returncode == 0, first.stderr
    assert "loss=matching seed=0: epoch 2/2" in first.stderr
    assert "best: loss=" in first.stdout
    assert "chance, 25.0 %" in first.stdout
    assert "records: runs/records" in first.stdout
    assert "python -m orchestrator ui" in first.stdout


def test_every_trial_has_a_record_and_its_queries(first, folder):
    storage = Storage(str(folder / "runs"))
    assert len(storage.record_ids()) == 2
    for trial_id in storage.record_ids():
        record = storage.record(trial_id)
        assert [report["epoch"] for report in record["reports"]] == [1, 2]
        assert len(storage.queries(trial_id)["s2i_rank"]) == 48
        assert record["reports"] == storage.reports(trial_id)
        assert package_versions().keys() <= record["environment"].keys()
    assert not list((folder / "runs" / "checkpoints").glob("*/*"))


def test_mlflow_has_a_parent_and_a_finished_child_a_trial(first, folder):
    client = mlflow.MlflowClient(f"sqlite:///{folder}/mlflow.db")
    (experiment,) = [e for e in client.search_experiments() if "loss" in e.name]
    runs = client.search_runs([experiment.experiment_id])
    children = [r for r in runs if "mlflow.parentRunId" in r.data.tags]
    assert len(runs) == 3
    assert {r.info.run_name for r in children} == {"loss=matching seed=0", "loss=triplet seed=0"}
    assert {r.info.status for r in runs} == {"FINISHED"}
    storage = Storage(str(folder / "runs"))
    for child in children:
        record = storage.record(child.data.tags["vfsel.trial_id"])
        assert child.data.metrics["test_s2i_r1"] == record["test"]["s2i_r1"]
        assert len(client.get_metric_history(child.info.run_id, "i2s_r1")) == 2


def test_the_baseline_and_the_best_have_pictures_in_the_storage_and_in_mlflow(first, folder):
    storage = Storage(str(folder / "runs"))
    pictured = storage.picture_ids()
    assert 1 <= len(pictured) <= 2  # the best may be the baseline
    assert "drawn:   runs/pictures" in first.stdout
    assert "warning" not in first.stderr
    client = mlflow.MlflowClient(f"sqlite:///{folder}/mlflow.db")
    (experiment,) = [e for e in client.search_experiments() if "loss" in e.name]
    for child in client.search_runs([experiment.experiment_id]):
        trial_id = child.data.tags.get("vfsel.trial_id")
        logged = {item.path for item in client.list_artifacts(child.info.run_id, "pictures")}
        assert len(logged) == (5 if trial_id in pictured else 0)


def test_the_same_command_again_adds_nothing(first, folder, monkeypatch):
    """Nor does it depend on the order of sets."""
    monkeypatch.setenv("PYTHONHASHSEED", "1")
    before = {path: path.stat().st_mtime_ns for path in (folder / "runs" / "records").iterdir()}
    again = run("sweep", "loss", *ARGUMENTS, folder=folder)
    assert again.returncode == 0
    assert "2 trials, 0 to run" in again.stderr
    assert again.stdout == first.stdout
    after = {path: path.stat().st_mtime_ns for path in (folder / "runs" / "records").iterdir()}
    assert after == before
    client = mlflow.MlflowClient(f"sqlite:///{folder}/mlflow.db")
    ids = [experiment.experiment_id for experiment in client.search_experiments()]
    assert len(client.search_runs(ids)) == 3


def test_a_trial_that_two_sweeps_share_trains_once(first, folder):
    done = run("sweep", "baseline", "--json", *ARGUMENTS, folder=folder)
    assert "1 trials, 0 to run" in done.stderr
    answer = json.loads(done.stdout)
    assert answer["failed"] == {}
    assert answer["best"]["test"]["s2i_chance"] == 25.0


def test_plan_and_report_read_the_records(first, folder):
    planned = run("plan", "loss", "--json", *ARGUMENTS, folder=folder)
    assert [trial["recorded"] for trial in json.loads(planned.stdout)["trials"]] == [True, True]
    done = run("report", "loss", "--out", "report", folder=folder)
    assert done.returncode == 0, done.stderr
    (table,) = (folder / "report").glob("loss-*-trials.csv")
    assert len(table.read_text().splitlines()) == 3
    (page,) = (folder / "report").glob("loss-*.md")
    assert "| loss=triplet | 1 |" in page.read_text()
    (shown,) = (folder / "report").glob("loss-*.html")
    assert "gradcam" in page.read_text()
    assert shown.read_text().count('src="data:image/png;base64,') >= 7


@pytest.mark.slow
def test_a_failing_trial_does_not_stop_the_other_and_is_named(folder):
    """One arm's checkpoint is of another model: its trial fails, the other is recorded."""
    arguments = [*ARGUMENTS, "--set", "weight_decay=0.5"]
    planned = json.loads(run("plan", "loss", "--json", *arguments, folder=folder).stdout)
    broken, whole = (trial["id"] for trial in planned["trials"])
    of_another_model(Storage(str(folder / "runs")).checkpoints_url(broken))
    done = run("sweep", "loss", *arguments, folder=folder)
    assert done.returncode == 1
    (line,) = [line for line in done.stderr.splitlines() if line.startswith("failed: ")]
    assert line.startswith(f"failed: loss=matching seed=0 ({broken}): ")
    assert "a model's state must fit its experiment" in line
    assert done.stderr.count("loss=matching seed=0: failed") == 1  # it would come again
    storage = Storage(str(folder / "runs"))
    assert storage.record(broken) is None
    assert storage.record(whole) is not None
    client = mlflow.MlflowClient(f"sqlite:///{folder}/mlflow.db")
    ids = [experiment.experiment_id for experiment in client.search_experiments()]
    (child,) = client.search_runs(ids, f"tags.`vfsel.trial_id` = '{broken}'")
    assert child.info.status == "FAILED"
