"""What one command lives through by itself: a trial's process killed."""

import os
import signal

import pytest

from tests.faults import processes
from tests.faults.conftest import SEEDS, SWEEP, moment, wait_for_epoch
from tests.faults.outcome import assert_finished
from tests.orchestrator.command import start

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
