"""Stop a search for real, at any time: the same command finishes it, with the same study."""

import os
import signal
import time

import pytest

from orchestrator.storage import Storage
from tests import made
from tests.faults import processes
from tests.orchestrator.command import TINY, run, start

pytestmark = pytest.mark.slow

TRIALS, EPOCHS = 5, 9
ARGUMENTS = [
    "sweep", "tune", "--data", "tones", "--set", f"epochs={EPOCHS}", *TINY, "--study", "mine",
    "--trials", str(TRIALS),
]  # fmt: skip


def _books(folder):
    return Storage(str(folder / "runs")).study_trials("mine")


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    folder = tmp_path_factory.mktemp("undisturbed")
    made.make(folder / "tones", per_class=20)
    done = run(*ARGUMENTS, "--max-concurrent", "1", folder=folder)
    assert done.returncode == 0, done.stderr
    return _books(folder)


def _wait_for(folder, epochs):
    """Until the books hold so many epochs in all."""
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        if sum(len(entry["values"]) for entry in _books(folder)) >= epochs:
            return
        time.sleep(0.02)
    raise AssertionError("the search came not so far")


def test_killed_and_run_again_one_trial_at_a_time_it_is_the_same_study(folder, study):
    """First a trial's process, which is tried again; then the command and all that is its own."""
    command = start(*ARGUMENTS, "--max-concurrent", "1", folder=folder)
    _wait_for(folder, 3)
    os.kill(processes.a_trainer(lambda: processes.of_sweep(folder)), signal.SIGKILL)
    _wait_for(folder, 12)
    os.killpg(command.pid, signal.SIGKILL)
    said, _ = command.communicate()
    assert "its process ended" in said
    before = _books(folder)
    assert len(before) < TRIALS
    done = run(*ARGUMENTS, "--max-concurrent", "1", folder=folder)
    assert done.returncode == 0, done.stderr
    assert _books(folder) == study


def test_interrupted_with_trials_at_once_none_is_lost_repeated_or_left_running(folder):
    command = start(*ARGUMENTS, folder=folder)
    _wait_for(folder, 6)
    command.send_signal(signal.SIGINT)
    output, _ = command.communicate(timeout=90)
    assert command.returncode == 130
    assert "nothing is lost: the same command goes on" in output
    assert "Traceback" not in output
    before = _books(folder)
    reports = {path.stem: path.read_text() for path in (folder / "runs/reports").glob("*.jsonl")}
    done = run(*ARGUMENTS, folder=folder)
    assert done.returncode == 0, done.stderr
    after = _books(folder)
    assert len(after) == TRIALS
    for old, new in zip(before, after, strict=False):
        assert new["params"] == old["params"]
        assert new["values"].items() >= old["values"].items()
        assert old["state"] in (new["state"], "RUNNING")
    assert {entry["state"] for entry in after} == {"COMPLETE", "PRUNED"}
    for name, text in reports.items():  # no epoch was trained twice
        assert (folder / "runs" / "reports" / f"{name}.jsonl").read_text().startswith(text)
