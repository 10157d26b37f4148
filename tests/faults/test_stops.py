"""What one command lives through by itself: a trial's process killed, no MLflow server."""

import os
import signal

import pytest

from tests.faults import processes
from tests.faults.conftest import SEEDS, SWEEP, moment, records, wait_for_epoch
from tests.faults.outcome import assert_finished, runs, states
from tests.orchestrator.command import run, start

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("seed", SEEDS)
def test_a_trial_whose_process_is_killed_is_tried_again(folder, undisturbed, seed):
    command = start(*SWEEP, "--max-concurrent", "1", folder=folder)
    wait_for_epoch(folder / "runs", moment("worker", seed))
    worker = processes.a_trainer(lambda: processes.of_sweep(folder))
    os.kill(worker, signal.SIGKILL)
    output, _ = command.communicate(timeout=240)
    assert command.returncode == 0, output
    assert "its process ended" in output
    assert_finished(folder, undisturbed)


def test_an_absent_mlflow_server_costs_one_warning(folder, undisturbed):
    done = run(*SWEEP, "--tracking-uri", "http://127.0.0.1:9", folder=folder)
    assert done.returncode == 0, done.stderr
    warnings = [line for line in done.stderr.splitlines() if "warning" in line.lower()]
    assert len(warnings) == 1
    assert records(folder / "runs") == undisturbed
    later = run(*SWEEP, folder=folder)  # another store: it gets everything
    assert later.returncode == 0
    assert states(folder) == {"FINISHED"}
    assert len(runs(folder)) == 3
