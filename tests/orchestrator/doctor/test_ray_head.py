"""A cluster as the doctor finds it: a real head with a token, one without, none at all."""

import json
import socket
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import ray

from orchestrator.doctor import ray_head
from orchestrator.doctor.check import Asked
from orchestrator.resources import Resources
from orchestrator.storage import Storage
from tests.orchestrator.command import run
from tests.orchestrator.test_tracking_server import free_port
from tests.ray_head import ray_head as started


def found(address, **resources):
    asked = Asked(
        storage=Storage("runs"), tracking_uri="sqlite:///m.db", address=address,
        resources=Resources(**resources),
    )  # fmt: skip
    return [(check.name, check.level, check.text) for check in ray_head.checks(asked)]


@pytest.fixture(autouse=True)
def _no_token(monkeypatch, tmp_path):
    for name in ("RAY_AUTH_MODE", "RAY_AUTH_TOKEN", "RAY_ADDRESS", "RAY_AUTH_TOKEN_PATH"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("RAY_API_SERVER_ADDRESS", "")  # `jobs.connect` sets it
    monkeypatch.setenv("HOME", str(tmp_path))


def test_nobody_there():
    ((name, level, text),) = found(f"http://127.0.0.1:{free_port()}")
    assert (name, level) == ("ray", "error")
    assert "no dashboard answers" in text


def test_a_server_that_never_answers(monkeypatch):
    monkeypatch.setattr(ray_head, "SECONDS", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        ((_, level, text),) = found(f"http://127.0.0.1:{silent.getsockname()[1]}")
    assert level == "error"
    assert "timed out" in text


def test_a_mode_without_its_token(monkeypatch):
    monkeypatch.setenv("RAY_AUTH_MODE", "token")
    assert ("ray token", "error") in [each[:2] for each in found(f"http://127.0.0.1:{free_port()}")]


@contextmanager
def unguarded(host):
    """What a dashboard without a token says of its version, on an address of this machine."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.end_headers()
            self.wfile.write(f'{{"ray_version": "0.{ray.__version__}"}}'.encode())

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer((host, 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1]
        server.shutdown()


def test_a_dashboard_without_a_token():
    with unguarded("127.0.0.1") as port:
        near = found(f"http://127.0.0.1:{port}")
    assert near[0][:2] == ("ray token", "warning")
    assert near[1][:2] == ("ray", "error")  # another version
    assert "CVE-2023-48022" in near[0][2]


def test_only_loopback_is_near():
    levels = [
        ray_head._unguarded("", host).level for host in ("127.0.0.1", "localhost", "10.0.0.5")
    ]
    assert levels == ["warning", "warning", "error"]


def test_what_fits():
    nodes = [{"CPU": 2, "GPU": 0}, {"CPU": 8, "GPU": 1}]
    (idle_fits, idle) = ray_head.fits(nodes, Resources())
    (whole,) = ray_head.fits(nodes, Resources(gpus_per_trial=2))
    assert (idle_fits.level, idle.level, whole.level) == ("ok", "warning", "error")


def ray_lines(folder, *arguments):
    """The command's lines of Ray: a process keeps the token that it began with."""
    checks = json.loads(run("doctor", "--json", *arguments, folder=folder).stdout)["checks"]
    wanted = ("ray", "ray token", "cluster")
    return [(c["name"], c["level"], c["text"]) for c in checks if c["name"] in wanted]


@pytest.mark.slow
def test_a_head_with_a_token(monkeypatch, tmp_path):
    """Refused without it; with it, by its dashboard and as `sweep` joins it; never printed."""
    with started(num_cpus=3, num_gpus=1) as head:
        refused = ray_lines(tmp_path, "--address", head.dashboard)
        monkeypatch.setenv("RAY_AUTH_MODE", "token")
        monkeypatch.setenv("RAY_AUTH_TOKEN", head.token)
        served = ray_lines(tmp_path, "--address", head.dashboard, "--gpus-per-trial", "0.5")
        joined = ray_lines(tmp_path, "--address", head.address, "--loader-workers", "4")
    assert refused[-1][:2] == ("ray", "error")
    assert "wants a token, but got none" in refused[-1][2]
    assert [e[:2] for e in served] == [("ray token", "ok"), ("ray", "ok"), ("cluster", "ok")], (
        served
    )
    assert ("cluster", "error") in [each[:2] for each in joined]
    assert head.token not in str([refused, served, joined])
