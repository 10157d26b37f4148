"""Stop a sweep for real, at any time: the same command finishes it, with the same records."""

import os
import re
import signal
import time
from pathlib import Path

import mlflow
import pytest

from orchestrator.storage import Storage
from tests import made
from tests.orchestrator.command import TINY, results, run, start

pytestmark = pytest.mark.slow

EPOCHS = 25
ARGUMENTS = ["sweep", "loss", "--data", "tones", "--set", f"epochs={EPOCHS}", *TINY]


@pytest.fixture
def folder(tmp_path):
    made.make(tmp_path / "tones", per_class=20)
    return tmp_path


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    folder = tmp_path_factory.mktemp("undisturbed")
    made.make(folder / "tones", per_class=20)
    done = run(*ARGUMENTS, folder=folder)
    assert done.returncode == 0, done.stderr
    return _records(folder)


def _records(folder):
    storage = Storage(str(folder / "runs"))
    return {trial_id: results(storage.record(trial_id)) for trial_id in storage.record_ids()}


def _wait_for(folder, epochs):
    """Until some trial has reported so many epochs."""
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        reports = list((folder / "runs" / "reports").glob("*.jsonl"))
        if any(len(path.read_text().splitlines()) >= epochs for path in reports):
            return
        time.sleep(0.02)
    raise AssertionError("no trial came so far")


def _times(folder):
    """When each epoch of each trial was reported."""
    storage = Storage(str(folder / "runs"))
    ids = [path.stem for path in (folder / "runs" / "reports").glob("*.jsonl")]
    return {trial_id: [r["time"] for r in storage.reports(trial_id)] for trial_id in ids}


def _assert_went_on(before, after):
    """No epoch that was reported was trained again: its report still has its time."""
    assert any(before.values())
    for trial_id, times in before.items():
        assert after[trial_id][: len(times)] == times


def _states(folder):
    client = mlflow.MlflowClient(f"sqlite:///{folder}/mlflow.db")
    ids = [experiment.experiment_id for experiment in client.search_experiments()]
    return [run.info.status for run in client.search_runs(ids)]


@pytest.mark.parametrize("epochs", [1, 7])
def test_killed_and_run_again_the_records_are_those_of_an_undisturbed_run(
    folder, undisturbed, epochs
):
    command = start(*ARGUMENTS, folder=folder)
    _wait_for(folder, epochs)
    os.killpg(command.pid, signal.SIGKILL)
    command.wait()
    assert len(_records(folder)) < 2
    before = _times(folder)
    done = run(*ARGUMENTS, folder=folder)
    assert done.returncode == 0, done.stderr
    _assert_went_on(before, _times(folder))
    assert _records(folder) == undisturbed
    assert set(_states(folder)) == {"FINISHED"}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_it_ends_cleanly_and_goes_on(folder, undisturbed, number):
    command = start(*ARGUMENTS, folder=folder)
    _wait_for(folder, 5)
    command.send_signal(number)
    output, _ = command.communicate(timeout=90)
    assert command.returncode == 130
    assert "nothing is lost: the same command goes on" in output
    assert "Traceback" not in output
    assert set(_states(folder)) <= {"KILLED", "FINISHED"}
    assert "KILLED" in _states(folder)
    before = _times(folder)
    done = run(*ARGUMENTS, folder=folder)
    assert done.returncode == 0, done.stderr
    _assert_went_on(before, _times(folder))
    assert _records(folder) == undisturbed
    assert set(_states(folder)) == {"FINISHED"}


def test_a_trial_whose_process_is_killed_is_tried_again(folder, undisturbed):
    command = start(*ARGUMENTS, "--max-concurrent", "1", folder=folder)
    _wait_for(folder, 3)
    worker = _worker_of(folder)
    os.kill(worker, signal.SIGKILL)
    output, _ = command.communicate(timeout=240)
    assert command.returncode == 0, output
    assert "its process ended" in output
    assert _records(folder) == undisturbed


def _worker_of(folder):
    """The process that trains: Tune may start another one ahead, which waits for its trial."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        for pid in _children_of_raylet(folder):
            if b"ResourceTrainable.train" in _read(Path(f"/proc/{pid}/cmdline")):
                return pid
        time.sleep(0.02)
    raise AssertionError("no trial is under way")


def _children_of_raylet(folder):
    mark = f"VFSEL_CACHE={folder}/cache".encode()
    processes = {int(path.name): path for path in Path("/proc").iterdir() if path.name.isdigit()}
    raylets = {
        pid
        for pid, path in processes.items()
        if b"raylet/raylet" in _read(path / "cmdline") and mark in _read(path / "environ")
    }
    for pid, path in processes.items():
        parent = re.search(r"^PPid:\s+(\d+)", _read(path / "status").decode(), re.MULTILINE)
        if parent and int(parent[1]) in raylets:
            yield pid


def _read(path):
    try:
        return path.read_bytes()
    except OSError:
        return b""


def test_an_absent_mlflow_server_costs_one_warning(folder, undisturbed):
    done = run(*ARGUMENTS, "--tracking-uri", "http://127.0.0.1:9", folder=folder)
    assert done.returncode == 0, done.stderr
    warnings = [line for line in done.stderr.splitlines() if "warning" in line.lower()]
    assert len(warnings) == 1
    assert _records(folder) == undisturbed
    later = run(*ARGUMENTS, folder=folder)  # another store: it gets everything
    assert later.returncode == 0
    assert set(_states(folder)) == {"FINISHED"}
    assert len(_states(folder)) == 3
