"""The tracker against a real MLflow server on loopback, killed, absent, silent."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from orchestrator import tracking
from orchestrator.storage import Storage
from orchestrator.tracking import PlanInfo, Tracker
from tests.orchestrator.tracked import (
    TRIALS,
    Seen,
    check_finished,
    plan_of,
    record,
    reports,
    track,
    wait_for,
)


@pytest.fixture
def storage(tmp_path: Path) -> Storage:
    return Storage(str(tmp_path / "results"))


@pytest.fixture
def plan(request: pytest.FixtureRequest) -> PlanInfo:
    return plan_of(request.node.name)


class Server:
    """A real `mlflow server`, which can be killed and started again on its store."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.uri = f"http://127.0.0.1:{self.port}"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        command = [
            sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1",
            "--port", str(self.port), "--workers", "1",
            "--backend-store-uri", f"sqlite:///{self.folder}/server.db",
            "--artifacts-destination", str(self.folder / "artifacts"),
        ]  # fmt: skip
        quiet = {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false", "MLFLOW_DISABLE_TELEMETRY": "true"}
        self.process = subprocess.Popen(
            command, env=os.environ | quiet, start_new_session=True,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        wait_for(lambda: answers(f"{self.uri}/health"), seconds=60)

    def kill(self) -> None:
        assert self.process is not None
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self.process = None


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = Server(tmp_path_factory.mktemp("server"))
    server.start()
    yield server
    if server.process:
        server.kill()


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def answers(url: str) -> bool:
    try:
        return bool(urllib.request.urlopen(url, timeout=2).status == 200)
    except OSError:
        return False


def test_server_killed(
    server: Server, storage: Storage, plan: PlanInfo, tmp_path: Path, capsys: Any
) -> None:
    """The server dies half-way and comes back: nothing is lost, nothing is there twice."""
    first, second, third = TRIALS
    storage.write_reports(first.id, reports(2))
    tracker = Tracker(uri=server.uri, storage=storage, plan=plan)
    tracker.start(TRIALS)
    tracker.update(TRIALS, {first.id})
    wait_for(lambda: "gamma=1 seed=0" in Seen(server.uri, plan).children)
    wait_for(lambda: Seen(server.uri, plan).steps("gamma=1 seed=0", "epoch") == [1, 2])
    server.kill()
    record(storage, second)
    storage.write_reports(first.id, reports(3))
    start = time.monotonic()
    tracker.update(TRIALS, {first.id, third.id})
    assert time.monotonic() - start < 0.1
    time.sleep(2)  # a pass fails
    server.start()
    for trial in (first, third):
        record(storage, trial)
    tracker.update(TRIALS, set())
    assert tracker.finish({}, {})
    assert capsys.readouterr().err == ""
    seen = Seen(server.uri, plan)
    for trial in TRIALS:
        check_finished(seen, trial.name, tmp_path / trial.id)
    assert seen.parent.info.status == "FINISHED"


class LosesAnswers(BaseHTTPRequestHandler):
    """Passes calls on to the server; the first answer to the making of a child is lost."""

    target = ""
    lost = 0

    def do_GET(self) -> None:
        length = int(self.headers.get("Content-Length", 0))
        request = urllib.request.Request(
            self.target + self.path,
            data=self.rfile.read(length) if length else None,
            method=self.command,
            headers={"Content-Type": self.headers.get("Content-Type", "application/json")},
        )
        try:
            with urllib.request.urlopen(request) as answer:
                status, body = answer.status, answer.read()
        except urllib.error.HTTPError as error:
            status, body = error.code, error.read()
        made_child = self.path.endswith("runs/create") and b"vfsel.trial_id" in body
        if made_child and not LosesAnswers.lost:
            LosesAnswers.lost += 1
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_PUT = do_PATCH = do_DELETE = do_GET

    def log_message(self, *_: Any) -> None:
        pass


def test_answer_lost(server: Server, storage: Storage, plan: PlanInfo, tmp_path: Path) -> None:
    """The server made the run, and the news of it was lost: it is found, not made again."""
    LosesAnswers.target = server.uri
    record(storage, TRIALS[0])
    with ThreadingHTTPServer(("127.0.0.1", 0), LosesAnswers) as proxy:
        threading.Thread(target=proxy.serve_forever, daemon=True).start()
        uri = f"http://127.0.0.1:{proxy.server_address[1]}"
        assert track(uri, storage, plan, trials=TRIALS[:1])
        proxy.shutdown()
    assert LosesAnswers.lost == 1
    check_finished(Seen(server.uri, plan), "gamma=1 seed=0", tmp_path / "got")


def test_server_absent(server: Server, storage: Storage, plan: PlanInfo, capsys: Any) -> None:
    """One warning, without the password; the next command ships everything."""
    record(storage, TRIALS[0])
    absent = f"http://ada:secret@127.0.0.1:{free_port()}"
    tracker = Tracker(uri=absent, storage=storage, plan=plan)
    tracker.start(TRIALS)
    tracker.update(TRIALS, {TRIALS[1].id})
    time.sleep(1.5)
    storage.write_reports(TRIALS[1].id, reports(2))
    assert not tracker.finish({TRIALS[1].id: "FAILED"}, {TRIALS[1].id: "out of memory"})
    out, err = capsys.readouterr()
    assert out == ""
    assert len(err.splitlines()) == 1
    assert "cannot be reached" in err
    assert "secret" not in err
    assert track(server.uri, storage, plan)
    seen = Seen(server.uri, plan)
    assert seen.steps("gamma=1 seed=0", "epoch") == [1, 2, 3, 4]
    assert seen.steps("gamma=5 seed=0", "epoch") == [1, 2]


def test_server_silent(
    storage: Storage, plan: PlanInfo, capsys: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server that takes the call and never answers holds up neither training nor the end."""
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "1")
    with socket.create_server(("127.0.0.1", 0)) as silent:
        uri = f"http://127.0.0.1:{silent.getsockname()[1]}"
        tracker = Tracker(uri=uri, storage=storage, plan=plan)
        start = time.monotonic()
        tracker.start(TRIALS)
        tracker.update(TRIALS, set())
        assert time.monotonic() - start < 0.2
        assert not tracker.finish({}, {})
    assert time.monotonic() - start < 10
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_never_longer_than_the_limit(
    storage: Storage, plan: PlanInfo, capsys: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tracking, "DRAIN_SECONDS", 0.5)
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "3")
    with socket.create_server(("127.0.0.1", 0)) as silent:
        uri = f"http://127.0.0.1:{silent.getsockname()[1]}"
        tracker = Tracker(uri=uri, storage=storage, plan=plan)
        tracker.start(TRIALS)
        assert not tracker.finish({}, {})
    assert "within 0.5 s" in capsys.readouterr().err
