"""Stop a sweep for real, at any time: the same command finishes it, with the same records."""

import os
import signal

import pytest

from tests.faults import processes
from tests.faults.conftest import SEEDS, SWEEP, moment, records, wait_for_epoch
from tests.faults.outcome import assert_finished, go_on, runs, states
from tests.orchestrator.command import run, start

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("seed", SEEDS)
def test_killed_and_run_again_the_records_are_those_of_an_undisturbed_run(
    folder, undisturbed, seed
):
    command = start(*SWEEP, folder=folder)
    wait_for_epoch(folder / "runs", moment("kill", seed))
    os.killpg(command.pid, signal.SIGKILL)
    command.wait()
    assert len(records(folder / "runs")) < 2
    go_on(*SWEEP, folder=folder)
    assert_finished(folder, undisturbed)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_it_ends_cleanly_and_goes_on(folder, undisturbed, number):
    command = start(*SWEEP, folder=folder)
    wait_for_epoch(folder / "runs", moment(number, 0, low=3))
    command.send_signal(number)
    output, _ = command.communicate(timeout=90)
    assert command.returncode == 130
    assert "nothing is lost: the same command goes on" in output
    assert "Traceback" not in output
    assert states(folder) <= {"KILLED", "FINISHED"}
    assert "KILLED" in states(folder)
    go_on(*SWEEP, folder=folder)
    assert_finished(folder, undisturbed)


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
