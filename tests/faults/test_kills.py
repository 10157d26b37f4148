"""Kill any process of a sweep: the command ends soon and says why; the same one finishes it."""

import os
import random
import re
import signal
import time
from contextlib import contextmanager

import pytest

from tests.faults import processes
from tests.faults.conftest import SEEDS, SWEEP, records, records_of
from tests.faults.outcome import assert_finished, go_on, retrained, states
from tests.orchestrator.command import start
from tests.ray_head import ray_head, wait_for

pytestmark = pytest.mark.slow

LONGER = [*SWEEP, "--set", "epochs=60"]  # it outlasts seven endings
NOTHING_LOST = "othing is lost: the same command goes on"
SOON = {"RAY_health_check_period_ms": "500", "RAY_health_check_failure_threshold": "3"}
"""A head that notices the loss of a node sooner than in half a minute."""


def _kill(command):
    command.kill()  # alone: Ray's processes are orphans


def _kill_group(command):
    os.killpg(command.pid, signal.SIGKILL)


def _interrupt(command):
    command.send_signal(signal.SIGINT)


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
    _kill: [KILLED],
    _kill_group: [KILLED],
    processes.terminate_then_kill: [KILLED, INTERRUPTED],  # within the 3 s, or not
    _interrupt: [INTERRUPTED],
    _terminate: [INTERRUPTED],
    _interrupt_twice: [INTERRUPTED],
    _hang_up: [INTERRUPTED],
}
"""What ends a command, and the codes with which it may end."""


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """The records of `LONGER` when nothing happens to it."""
    return records_of(LONGER, tmp_path_factory.mktemp("undisturbed"))


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
        assert code in ENDINGS[end], output
        assert "Traceback" not in output
        assert code != INTERRUPTED or NOTHING_LOST in output, output
        if end in (_interrupt, _terminate, _hang_up):  # the books were kept
            assert "KILLED" in states(folder)
            assert states(folder) <= {"KILLED", "FINISHED"}
    go_on(*LONGER, folder=folder)
    assert_finished(folder, undisturbed)
    processes.wait_until_gone(folder)


def test_nodes_and_the_head_itself_may_be_lost(folder, undisturbed, monkeypatch):
    """A trial a node. Without a head the command ends with one line; elsewhere it goes on."""
    with _cluster(monkeypatch) as (head, node):
        command = start(*LONGER, folder=folder)
        processes.wait_for_more(command, folder, 4)
        processes.send(signal.SIGKILL, processes.raylets(node.pids()))  # alone
        processes.wait_for_more(command, folder, 2)
        head.kill()
        output, _ = command.communicate(timeout=150)
        assert command.returncode == 1, output
        assert re.search(rf"error: the Ray head at \S+:{head.port} must answer", output), output
        assert NOTHING_LOST in output
        assert "Traceback" not in output
        assert "Failed to connect to GCS" not in output
        assert not retrained(folder)
    for name in ("RAY_ADDRESS", "RAY_AUTH_TOKEN"):
        monkeypatch.delenv(name)
    go_on(*LONGER, folder=folder)  # on this machine alone
    assert_finished(folder, undisturbed)


@contextmanager
def _cluster(monkeypatch):
    """A head and a second node, that the commands join."""
    with ray_head(num_cpus=1, num_gpus=0, environment=SOON) as head:
        for name, value in {"RAY_ADDRESS": head.address, **head.client()}.items():
            monkeypatch.setenv(name, value)
        yield head, head.add_node(num_cpus=1, environment=SOON)


def _wait_until_gone(left, folder):
    """Nodes and trials of an earlier command do not stay."""
    what = "those of an earlier command are gone"
    wait_for(lambda: not left & set(processes.of_sweep(folder)), seconds=60, what=what)


def _ended(command, *, by):
    """Exit code and output of a command that ends; soon, whatever ends it."""
    by(command)
    output, _ = command.communicate(timeout=150)
    return command.returncode, output
