"""Kill any process of a sweep: the command ends soon and says why; the same one finishes it."""

import os
import random
import signal
import time

import pytest

from tests.faults import processes
from tests.faults.conftest import LONG, SEEDS, records
from tests.faults.outcome import NOTHING_LOST, assert_finished, go_on, retrained, states
from tests.orchestrator.command import start
from tests.ray_head import wait_for

pytestmark = pytest.mark.slow

LONGER = [*LONG, "--seeds", "1"]  # it outlasts five endings


def _kill(command):
    command.kill()  # alone: Ray's processes are orphans


def _kill_group(command):
    os.killpg(command.pid, signal.SIGKILL)


def _terminate(command):
    command.send_signal(signal.SIGTERM)


def _interrupt_twice(command):
    command.send_signal(signal.SIGINT)
    time.sleep(0.5)
    command.send_signal(signal.SIGINT)


def _hang_up(command):
    command.send_signal(signal.SIGHUP)


KILLED, INTERRUPTED = -signal.SIGKILL, 130
ENDINGS = {
    _kill: KILLED,
    _kill_group: KILLED,
    _terminate: INTERRUPTED,
    _interrupt_twice: INTERRUPTED,
    _hang_up: INTERRUPTED,
}
"""What ends a command, and its exit code; others are in `test_random_kills.py`."""


@pytest.fixture
def undisturbed(undisturbed_long):
    """The records of `LONGER` when nothing happens to it."""
    return {i: found for i, found in undisturbed_long.items() if found["experiment"]["seed"] == 0}


@pytest.mark.parametrize("seed", SEEDS)
def test_however_a_command_ends_its_processes_go_and_the_same_one_goes_on(
    folder, undisturbed, seed
):
    """One after the other on one storage; each next command starts beside what is left."""
    draws = random.Random(seed)
    left = set()
    for end in draws.sample(list(ENDINGS), len(ENDINGS)):
        command = start(*LONGER, folder=folder)
        processes.wait_for_more(command, folder, draws.randint(1, 2))
        assert len(records(folder / "runs")) < 2
        assert not retrained(folder)
        _wait_until_gone(left, folder)
        code, output = _ended(command, by=end)
        left = set(processes.working(folder))
        assert code == ENDINGS[end], output
        assert "Traceback" not in output
        assert "***" not in output, output  # a stack of Ray's core
        assert code != INTERRUPTED or NOTHING_LOST in output, output
        if end in (_terminate, _hang_up):  # the books were kept
            assert "KILLED" in states(folder)
            assert states(folder) <= {"KILLED", "FINISHED"}
    go_on(*LONGER, folder=folder)
    assert_finished(folder, undisturbed)
    processes.wait_until_gone(folder)


def _wait_until_gone(left, folder):
    """Nodes and trials of an earlier command do not stay."""
    what = "those of an earlier command are gone"
    wait_for(lambda: not left & set(processes.of_sweep(folder)), seconds=60, what=what)


def _ended(command, *, by):
    """Exit code and output of a command that ends; soon, whatever ends it."""
    by(command)
    output, _ = command.communicate(timeout=150)
    return command.returncode, output


def test_terminated_while_ray_starts_it_ends_as_cleanly(folder):
    command = start(*LONGER, folder=folder)
    what = "Ray starts"
    wait_for(lambda: processes.heads(processes.of_sweep(folder)), seconds=60, what=what)
    code, output = _ended(command, by=_terminate)
    assert code == INTERRUPTED, output
    assert NOTHING_LOST in output
    assert "Traceback" not in output
    processes.wait_until_gone(folder)
