"""MLflow as the doctor finds it: real servers, a real file, a socket that never answers."""

import os
import signal
import socket
import subprocess
import sys
import time

import pytest

from orchestrator.doctor.check import Asked
from orchestrator.doctor.tracking import TAG, checks, file_system
from orchestrator.storage import Storage
from tests.empty_mlflow import empty_mlflow
from tests.faults.mlflow_faults import absent, locked
from tests.orchestrator.test_tracking_server import answers, free_port
from tests.ray_head import wait_for
from tests.small_disk import small_disk

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def database(tmp_path_factory):
    path = tmp_path_factory.mktemp("mlflow") / "mlflow.db"
    path.write_bytes(empty_mlflow())
    return path


def found(uri, folder):
    return list(checks(Asked(storage=Storage(str(folder)), tracking_uri=uri)))


def test_a_file_is_tried_and_left_as_it_was(database, tmp_path):
    from mlflow import MlflowClient

    last = found(f"sqlite:///{database}", tmp_path)[-1]
    assert (last.level, last.name) == ("ok", "mlflow")
    assert "writable" in last.text
    (experiment,) = MlflowClient(f"sqlite:///{database}").search_experiments()
    assert TAG not in experiment.tags


def test_a_new_file_is_not_made(tmp_path):
    last = found(f"sqlite:///{tmp_path}/new.db", tmp_path)[-1]
    assert last.level == "ok"
    assert not list(tmp_path.iterdir())


def test_a_locked_file(database, tmp_path):
    with locked(database):
        last = found(f"sqlite:///{database}", tmp_path)[-1]
    assert last.level == "error"
    assert "locked" in last.text


@pytest.mark.parametrize("uri", ["./mlruns", "file:///tmp/mlruns", "sqlite://"])
def test_other_stores_are_refused(uri, tmp_path):
    (check,) = found(uri, tmp_path)
    assert check.level == "error"
    assert "sqlite:///FILE" in check.text


def test_a_server_that_is_not_there(tmp_path):
    (check,) = found(absent(), tmp_path)
    assert check.level == "error"
    assert "cannot be reached" in check.text


def test_a_server_that_never_answers(tmp_path, monkeypatch):
    monkeypatch.setattr("orchestrator.doctor.tracking.SECONDS", "1")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "1")
    with socket.create_server(("127.0.0.1", 0)) as silent:
        before = time.monotonic()
        (check,) = found(f"http://127.0.0.1:{silent.getsockname()[1]}", tmp_path)
    assert check.level == "error"
    assert time.monotonic() - before < 10


def test_a_disk_that_is_almost_full(tmp_path):
    with small_disk(tmp_path / "disk", kilobytes=1000) as disk:
        first = found(f"sqlite:///{disk}/m.db", tmp_path)[0]
    assert (first.name, first.level) == ("disk of mlflow", "error")


def test_the_file_system_of_a_mount(tmp_path):
    with small_disk(tmp_path / "disk", kilobytes=1000) as disk:
        assert file_system(disk) == "tmpfs"


@pytest.mark.slow
def test_a_server_with_a_host_check(database, tmp_path):
    """Reached by a name that it does not allow: what to pass is said; by another it is fine."""
    port = free_port()
    command = [
        sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port),
        "--workers", "1", "--backend-store-uri", f"sqlite:///{database}",
        "--allowed-hosts", f"127.0.0.1:{port}",
    ]  # fmt: skip
    quiet = {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false", "MLFLOW_DISABLE_TELEMETRY": "true"}
    server = subprocess.Popen(
        command, env=os.environ | quiet, start_new_session=True,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        wait_for(lambda: answers(f"http://127.0.0.1:{port}/health"), seconds=60, what="it serves")
        refused = found(f"http://localhost:{port}", tmp_path)[-1]
        served = found(f"http://127.0.0.1:{port}", tmp_path)
    finally:
        os.killpg(server.pid, signal.SIGKILL)
        server.wait()
    assert refused.level == "error"
    assert f"--allowed-hosts localhost:{port}" in refused.advice
    assert [check.level for check in served] == ["ok", "ok"]
    assert "server 3." in served[0].text
