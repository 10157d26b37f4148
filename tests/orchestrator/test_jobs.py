"""Sweeps as jobs of a real Ray head with a token; what is wrong is one line, nothing is shipped."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import click
import pytest
from ray._private.runtime_env.packaging import create_package
from ray.dashboard.modules.dashboard_sdk import parse_runtime_env_args

from data_shards.errors import UsageError
from orchestrator import job_folder, jobs
from orchestrator.cli import cli
from tests.ray_head import free_port, ray_head, wait_for

ROOT = Path(__file__).parents[2]
LASTING = ["--storage", "s3://bucket/runs", "--tracking-uri", "http://127.0.0.1:5000"]
IN_JOB = {"RAY_JOB_CONFIG_JSON_ENV_VAR": "{}"}


def command(*arguments, environment=None, folder=None):
    """`python -m orchestrator …` to its end."""
    return subprocess.run(
        [sys.executable, "-m", "orchestrator", *arguments], capture_output=True, text=True,
        env=os.environ | (environment or {}), cwd=folder, timeout=120,
    )  # fmt: skip


def said(done, code):
    """What a refused call said: one line."""
    assert done.returncode == code, done.stderr
    (line,) = done.stderr.splitlines()
    return line


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["gama", *LASTING], "Did you mean 'gamma'"),
        ([*LASTING], "Missing argument 'NAME'"),
        (["gamma", *LASTING, "--gpu-per-trial", "1"], "No such option.*--gpu-per-trial"),
        (["gamma", *LASTING, "--gpus-per-trial", "-1"], "--gpus-per-trial must be >= 0"),
        (["gamma", *LASTING, "--set", "epoch=3"], "Did you mean 'epochs'"),
        (["gamma", *LASTING, "--preset", "thesi"], "Did you mean 'thesis'"),
        (["gamma", *LASTING, "--seeds", "0"], "--seeds must be >= 1"),
        (["gamma", *LASTING, "--trials", "3"], "--trials is for searches"),
        (["tune", *LASTING, "--trials", "0"], "--trials must be >= 1"),
        (["gamma"], "--storage must be a URI .* temporary copy"),
        (["gamma", *LASTING[:2]], "--tracking-uri must be sqlite:////ABSOLUTE/FILE"),
        (["gamma", *LASTING[:3], "ftp://x"], "--tracking-uri must be sqlite"),
        (["gamma", *LASTING[:3], "http://me:secret@h:5000"], "must hold no password"),
        (["gamma", *LASTING, "--data", "data/flowers"], "--data must be a URI"),
        (["gamma", *LASTING, "--address", "127.0.0.1:8265"], "--address must be that of the head"),
        (["gamma", *LASTING, "--address", "http://me:secret@h:8265"], "--address must hold no"),
    ],
)
def test_wrong_calls_are_said_before_anything_is_shipped(arguments, line):
    with pytest.raises((UsageError, click.UsageError)) as refused:
        cli.main(["submit", *arguments], standalone_mode=False)
    error = refused.value
    said = error.format_message() if isinstance(error, click.UsageError) else str(error)
    assert re.search(line, said), said
    assert "secret" not in said


def test_no_cluster_at_the_address():
    address = f"http://127.0.0.1:{free_port()}"
    line = said(command("submit", "gamma", *LASTING, "--address", address), 1)
    assert address in line
    assert "Connection refused" in line
    by_variable = command("submit", "gamma", *LASTING, environment={"RAY_ADDRESS": address})
    assert said(by_variable, 1) == line


@pytest.fixture
def server():
    """Starts HTTP servers on loopback that answer everything with a status and a body."""
    servers = []
    over = threading.Event()

    def _start(status, body):
        class Answer(BaseHTTPRequestHandler):
            def do_GET(self):
                asked.append((self.path, dict(self.headers)))
                self.send_response(status)
                self.end_headers()
                self.wfile.write(body)

            def do_POST(self):
                """A job that is taken, but whose answer does not come."""
                asked.append((self.path, json.loads(self.rfile.read(self._length()))))
                over.wait(60)

            def _length(self):
                return int(self.headers["Content-Length"])

            def log_message(self, *_):
                pass

        asked = []
        servers.append(ThreadingHTTPServer(("127.0.0.1", 0), Answer))
        threading.Thread(target=servers[-1].serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{servers[-1].server_port}", asked

    yield _start
    over.set()
    for each in servers:
        each.shutdown()
        each.server_close()


def test_another_ray_on_the_head_is_refused(server):
    address, asked = server(200, json.dumps({"version": "4", "ray_version": "2.9.1"}).encode())
    token = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": "0123456789abcdef"}
    done = command("submit", "gamma", *LASTING, "--address", address, environment=token)
    line = said(done, 2)
    assert "2.9.1" in line
    assert jobs.ray.__version__ in line
    assert "pip install" in line
    assert [path for path, _ in asked] == ["/api/version"]
    assert token["RAY_AUTH_TOKEN"] not in str(asked)


@pytest.mark.parametrize(("status", "body"), [(404, b""), (200, b"<html>"), (200, b"{}")])
def test_somebody_else_at_the_address(server, status, body):
    address, _ = server(status, body)
    line = said(command("submit", "gamma", *LASTING, "--address", address), 1)
    assert f"a Ray head's dashboard must be at {address}" in line


def test_interrupted_before_the_head_answers_it_says_how_to_find_the_job(server, tmp_path):
    body = json.dumps({"version": "4", "ray_version": jobs.ray.__version__}).encode()
    address, asked = server(200, body)
    process = subprocess.Popen(
        [sys.executable, "-m", "orchestrator", "submit", "gamma", *LASTING, "--address", address],
        stderr=subprocess.PIPE, text=True, cwd=tmp_path,
    )  # fmt: skip
    wait_for(lambda: asked and asked[-1][0] == "/api/jobs/", seconds=60, what="the job arrives")
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    job_id = asked[-1][1]["submission_id"]
    assert process.returncode == 130
    assert f"interrupted while submitting; job {job_id} may run" in errors
    assert f"ray job stop {job_id}" in errors
    assert "Traceback" not in errors


def test_a_token_in_clear_text_is_said():
    address = f"http://{socket.gethostname()}:{free_port()}"
    token = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": "0123456789abcdef"}
    done = command("submit", "gamma", *LASTING, "--address", address, environment=token)
    warning, error = done.stderr.splitlines()
    assert "in clear text" in warning
    assert "ssh -L" in warning
    assert "nobody answers" in error
    assert token["RAY_AUTH_TOKEN"] not in done.stderr


@pytest.fixture(scope="module")
def head():
    with ray_head() as head:
        yield head


def test_a_missing_or_wrong_token_is_one_line_and_never_printed(head, tmp_path):
    home = {"HOME": str(tmp_path)}
    wrong = "f" * 64
    (tmp_path / "token").write_text(wrong)
    for environment, what in [
        ({}, "got none"),
        ({"RAY_AUTH_MODE": "token"}, "got none"),
        ({"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": wrong}, "not its own"),
        ({"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN_PATH": f"{tmp_path}/token"}, "not its own"),
        ({"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN_PATH": f"{tmp_path}/none"}, "got none"),
    ]:
        done = command(
            "submit", "gamma", *LASTING, "--address", head.dashboard, environment=home | environment
        )
        line = said(done, 2)
        assert what in line
        assert "RAY_AUTH_MODE=token" in line
        assert "RAY_AUTH_TOKEN, RAY_AUTH_TOKEN_PATH" in line
        assert wrong not in done.stderr + done.stdout
        assert head.token not in done.stderr + done.stdout
    assert head.get("/api/jobs/") == []


def _fake_checkout(folder):
    """A checkout as people have them: this one's files, and what lies about in it."""
    listed = subprocess.run(
        ["git", "-C", ROOT, "ls-files", "--cached", "--others", "--exclude-standard"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    for name in listed.stdout.splitlines():
        if (ROOT / name).exists():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes((ROOT / name).read_bytes())
    for name in LARGE:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(os.urandom(300_000))


LARGE = [
    ".git/objects/pack/p.pack", ".venv/lib/torch.so", "venv/lib/torch.so", "data/flowers/a.tar",
    "data/synth/train-00000.tar", "runs/queries/x.npz", "mlflow.db", "mlflow.db-wal",
    "mlartifacts/1/a.png", "mlruns/0/x", "report/gamma.csv", "build/lib/x.py", "dist/x.whl",
    ".mypy_cache/x.json", ".pytest_cache/v", ".ruff_cache/x", ".hypothesis/examples/x",
    ".import_linter_cache/x", "orchestrator/__pycache__/jobs.cpython-311.pyc",
    "vfsel_orchestrator.egg-info/PKG-INFO", "tests/large.bin", "docs/large.png",
    "benchmarks/large.json",
]  # fmt: skip


@pytest.mark.parametrize("gitignore", [True, False])
def test_what_is_shipped_is_the_code_and_small(tmp_path, gitignore):
    """Ray's own packing, as it is called for `--working-dir . --runtime-env …`."""
    folder, package = tmp_path / "checkout", tmp_path / "package.zip"
    folder.mkdir()
    _fake_checkout(folder)
    env = parse_runtime_env_args(runtime_env=str(folder / "deploy" / "runtime_env.yaml"))
    create_package(
        str(folder), package, include_gitignore=gitignore, include_parent_dir=False,
        excludes=env["excludes"],
    )  # fmt: skip
    shipped = set(zipfile.ZipFile(package).namelist())
    assert package.stat().st_size < 5_000_000
    assert not shipped & set(LARGE)
    assert {"pyproject.toml", "orchestrator/jobs.py", "data_shards/manifest.py"} <= shipped
    code = {str(path.relative_to(ROOT)) for path in (ROOT / "trainables").rglob("*.py")}
    assert code <= shipped
    assert {name.split("/")[0] for name in shipped if "/" in name} == {
        "orchestrator", "search_spaces", "trainables", "data_shards", "deploy",
    }  # fmt: skip


def test_in_a_job_what_would_be_lost_is_refused(tmp_path):
    for arguments, option in [
        (["--tracking-uri", "http://h:1"], "--storage"),
        (["--storage", "/x"], "--tracking-uri"),
        ([*LASTING, "--data", "data/flowers"], "--data"),
    ]:
        done = command("sweep", "gamma", *arguments, environment=IN_JOB, folder=tmp_path)
        assert said(done, 2).startswith(f"error: {option} must be ")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "location", ["s3://b/x", "/x", "sqlite:////x/m.db", "http://h:5000", "file:///x"]
)
def test_what_lasts_is_not_refused(location):
    job_folder.check_lasting("--x", location)
