"""MLflow fails in every way: training does not notice, and afterwards MLflow holds everything once.

A real server behind a real proxy that fails as asked, and the command line.
"""

import signal
import time

import pytest

from tests.faults.conftest import ALONE, SEEDS, moment, records, wait_for_epoch
from tests.faults.mlflow_faults import FAIL, HANG, PASS, assert_whole
from tests.orchestrator.command import run, start
from tests.orchestrator.tracked import wait_for

pytestmark = pytest.mark.slow


def _ends(command):
    """A sweep ends as if nothing had happened, whatever it says of MLflow."""
    output, _ = command.communicate(timeout=240)
    assert command.returncode == 0, output
    assert "Traceback" not in output
    return [line for line in output.splitlines() if line.startswith("warning: MLflow")]


@pytest.mark.parametrize("seed", SEEDS)
def test_killed_in_mid_sweep_and_back_later(folder, undisturbed_alone, mlflow, seed):
    server, _ = mlflow
    asked = [*ALONE, "--tracking-uri", server.uri]
    command = start(*asked, folder=folder)
    wait_for_epoch(folder / "runs", moment("server killed", seed))
    server.kill()
    (warning,) = _ends(command)
    assert "cannot be reached" in warning
    assert records(folder / "runs") == undisturbed_alone
    server.start()
    again = run(*asked, folder=folder)
    assert again.returncode == 0, again.stderr
    assert_whole(server.uri, folder / "runs")


@pytest.mark.parametrize("seed", SEEDS)
def test_hanging_from_some_moment_on(folder, undisturbed_alone, mlflow, seed, monkeypatch):
    """The wait at the end is bounded, Ctrl-C ends it at once, and `sync` ships what is missing."""
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "5")
    server, proxy = mlflow
    asked = [*ALONE, "--tracking-uri", proxy.uri]
    command = start(*asked, folder=folder)
    wait_for_epoch(folder / "runs", moment("server hangs", seed))
    proxy.mode = HANG
    (warning,) = _ends(command)
    assert "Nothing is lost" in warning
    assert records(folder / "runs") == undisturbed_alone

    before = proxy.seen.total()
    waiting = start(*asked, folder=folder)  # all is recorded: there is nothing but to wait
    wait_for(lambda: proxy.seen.total() > before, seconds=60)
    time.sleep(1)
    waiting.send_signal(signal.SIGINT)
    since = time.monotonic()
    output, _ = waiting.communicate(timeout=30)
    assert time.monotonic() - since < 3
    assert waiting.returncode == 130
    assert output.splitlines()[-1] == "interrupted; nothing is lost: the same command goes on."
    assert "Traceback" not in output

    proxy.mode = PASS
    synced = run("sync", "--tracking-uri", proxy.uri, folder=folder)
    assert synced.returncode == 0, synced.stderr
    assert_whole(server.uri, folder / "runs")


@pytest.mark.parametrize("seed", SEEDS)
def test_absent_at_start_then_answering_500_then_well(folder, undisturbed_alone, mlflow, seed):
    """It is well again before the sweep ends, which then ships everything by itself."""
    server, proxy = mlflow
    proxy.mode = FAIL
    command = start(*ALONE, "--tracking-uri", proxy.uri, folder=folder)
    wait_for_epoch(folder / "runs", moment("500", seed))
    proxy.mode = PASS
    assert _ends(command) == []
    assert records(folder / "runs") == undisturbed_alone
    assert_whole(server.uri, folder / "runs")
