"""Joining a real cluster with a token: what can be wrong is said in one line, without secrets."""

import subprocess
import sys

import pytest

from tests import made
from tests.cluster.on_nodes import command, finish
from tests.orchestrator.command import TINY
from tests.ray_head import ray_head

pytestmark = pytest.mark.slow

SWEEP = ["sweep", "baseline", "--data", "tones", "--set", "epochs=1", *TINY]
OTHER_RAY = (
    "import ray; ray.__version__ = '2.9.9'\n"
    "from orchestrator.cluster import connect\n"
    "try: connect()\n"
    "except ValueError as error: print(error)"
)


@pytest.fixture(scope="module")
def head():
    with ray_head(num_cpus=2, num_gpus=0) as head:
        yield head


@pytest.fixture
def sweep(head, tmp_path):
    """Runs the sweep: (exit code, its lines)."""
    made.make(tmp_path / "tones")

    def _sweep(*options, **environment):
        with command(head, *SWEEP, *options, folder=tmp_path, **environment) as process:
            lines = finish(process).splitlines()
        return process.returncode, lines

    return _sweep


def test_a_wrong_token_is_one_line_that_does_not_show_it(head, sweep):
    code, lines = sweep(RAY_AUTH_TOKEN="f" * 64)
    assert code == 2
    assert [line for line in lines if line.startswith("error")] == [
        f"error: the Ray head at {head.address} must let this program join, but does not: set "
        "RAY_AUTH_TOKEN, or ~/.ray/auth_token, to the token of the cluster."
    ]


def test_a_missing_token_is_one_line(head, sweep, tmp_path):
    code, lines = sweep(RAY_AUTH_TOKEN="", RAY_AUTH_MODE="token", HOME=str(tmp_path))
    assert code == 2
    assert "to the token of the cluster" in lines[-1]
    code, lines = sweep(RAY_AUTH_TOKEN="", RAY_AUTH_MODE="disabled", HOME=str(tmp_path))
    assert code == 2
    assert "set RAY_AUTH_MODE=token and RAY_AUTH_TOKEN" in lines[-1]


def test_other_versions_are_named(head, tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", OTHER_RAY], capture_output=True, text=True, timeout=120,
        cwd=tmp_path, env=head.client() | {"RAY_ADDRESS": head.address},
    )  # fmt: skip
    (line,) = done.stdout.splitlines()
    assert "must run the same versions, but" in line
    assert "this is Ray 2.9.9 on Python 3." in line


def test_what_no_node_can_hold_is_said_at_once(sweep):
    code, lines = sweep("--gpus-per-trial", "1")
    assert code == 2
    assert "a trial must fit on one node, but asks for 1 CPUs and 1 GPUs" in lines[-1]
    code, lines = sweep("--gpus-per-trial", "auto")
    assert code == 2
    assert "--gpus-per-trial auto must have a GPU to measure a trial on" in lines[-1]
