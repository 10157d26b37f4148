"""Sweeps of one's own end to end, as docs/your-own.md says: real Ray, MLflow and reports."""

import json
import shutil

import mlflow
import pytest

from orchestrator.storage import Storage
from tests import made
from tests.orchestrator.command import TINY, run

ARGUMENTS = ["--data", "tones", "--set", "batch_size=16", "--set", "epochs=2", "--set", "lr=0.02"]
SWEEP = """
import os
from search_spaces.designs import Factorial
from search_spaces.sweep import Sweep

open("loaded", "a").write(f"{os.getpid()}\\n")
SWEEP = Sweep(
    question="How many dimensions does a linear map need?", source="a question of my own",
    trainable="my_model.py", design=Factorial({"size": [4, 16]}),
)
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A working folder with a sweep of one's own, of a model of one's own."""
    folder = tmp_path_factory.mktemp("user")
    made.make(folder / "tones")
    made_by = run("new", "trainable", "my_model", folder=folder)
    assert made_by.returncode == 0, made_by.stderr
    (folder / "my_models.py").write_text(SWEEP)
    return folder


@pytest.fixture(scope="module")
def first(folder):
    return run("sweep", "my_models.py", *ARGUMENTS, "--seeds", "2", folder=folder)


@pytest.mark.slow
def test_it_is_run_tracked_and_answered(first, folder):
    assert first.returncode == 0, first.stderr
    assert "best: size=" in first.stdout
    assert "report:  python -m orchestrator report my_models.py" in first.stdout
    assert "no pictures: they are of VFSEL, and this is my_model@" in first.stderr
    storage = Storage(str(folder / "runs"))
    assert len(storage.record_ids()) == 4
    assert all(len(storage.queries(name)["s2i_rank"]) == 48 for name in storage.record_ids())
    client = mlflow.MlflowClient(f"sqlite:///{folder}/mlflow.db")
    (experiment,) = [e for e in client.search_experiments() if "my_models" in e.name]
    runs = client.search_runs([experiment.experiment_id])
    children = [found for found in runs if "mlflow.parentRunId" in found.data.tags]
    assert {found.data.params["size"] for found in children} == {"4", "16"}
    assert {found.info.status for found in runs} == {"FINISHED"}
    assert "image_encoder" not in children[0].data.params


@pytest.mark.slow
def test_only_the_command_itself_runs_the_file(first, folder):
    """A worker would add a line of its own process: it gets plain values."""
    assert len((folder / "loaded").read_text().splitlines()) == 1


@pytest.mark.slow
def test_what_was_found_is_reported_and_the_same_command_adds_nothing(first, folder):
    again = run("sweep", "my_models.py", *ARGUMENTS, "--seeds", "2", folder=folder)
    assert "4 trials, 0 to run" in again.stderr
    assert again.stdout == first.stdout
    done = run("report", "my_models.py", "--out", "report", folder=folder)
    assert done.returncode == 0, done.stderr
    (page,) = (folder / "report").glob("my_models-*.md")
    assert "size=16" in page.read_text()
    assert "my_model@" in page.read_text()
    shown = run("status", "my_models.py", folder=folder)
    assert "4 trials: 4 recorded" in shown.stdout


@pytest.mark.slow
def test_without_its_file_a_storage_says_so_and_runs_nothing(first, folder):
    loads = (folder / "loaded").read_text()
    for command, code in (
        (["status"], 0),
        (["sync"], 1),
        (["doctor"], 0),
        (["status", "my_models"], 2),
    ):
        done = run(*command, folder=folder)
        said = done.stdout + done.stderr
        assert done.returncode == code, said
        assert "Traceback" not in said
        assert ("named by its file, as my_models.py" in said) == (command != ["doctor"])
    assert (folder / "loaded").read_text() == loads
    trial_id = min(Storage(str(folder / "runs")).record_ids())
    done = run("explain", trial_id, "--data", "tones", folder=folder)
    assert done.returncode == 2
    assert (
        f"a trial must be of VFSEL to be explained, but {trial_id} is of my_model@" in done.stderr
    )


@pytest.mark.slow
def test_another_source_is_another_trainable(first, folder, tmp_path):
    for name in ("my_model.py", "my_models.py"):
        shutil.copy(folder / name, tmp_path)
    with (tmp_path / "my_model.py").open("a") as stream:
        stream.write("# changed\n")
    line = ["--storage", str(folder / "runs"), "--data", str(folder / "tones"), *ARGUMENTS[2:]]
    done = run("plan", "my_models.py", "--json", *line, folder=tmp_path)
    assert [trial["recorded"] for trial in json.loads(done.stdout)["trials"]] == [False, False]
    shown = run("status", "my_models.py", "--storage", str(folder / "runs"), folder=tmp_path)
    assert "has none of my_models with my_model.py as it is now" in shown.stderr


@pytest.mark.slow
def test_the_template_of_a_sweep_runs_as_it_is(folder):
    assert run("new", "sweep", "mine", folder=folder).returncode == 0
    arguments = ["--data", "tones", *TINY, "--set", "epochs=1", "--storage", "mine"]
    done = run("sweep", "mine.py", *arguments, folder=folder)
    assert done.returncode == 0, done.stderr
    assert len(Storage(str(folder / "mine")).record_ids()) == 4


def test_a_submitted_sweep_must_lie_in_what_is_shipped(folder):
    lasting = ["--storage", "/nowhere", "--data", "/nowhere", "--tracking-uri", "http://nowhere"]
    done = run("submit", "my_models.py", *lasting, folder=folder)
    assert done.returncode == 2
    assert "a submitted sweep of your own must lie in " in done.stderr
    assert "but got my_models.py: copy it and its trainable there." in done.stderr
