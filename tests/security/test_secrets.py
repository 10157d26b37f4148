"""Secrets that a user has in the environment or in addresses are in nothing that we write."""

import base64
import shutil
import tempfile
from pathlib import Path

import pytest

from tests import made
from tests.orchestrator.command import TINY, run
from tests.s3 import free_port

SECRETS = {
    "RAY_AUTH_TOKEN": "6e1f" * 16,
    "AWS_SECRET_ACCESS_KEY": "planted-aws-secret-key",
    "AWS_SESSION_TOKEN": "planted-aws-session-token",
    "MLFLOW_TRACKING_PASSWORD": "planted-mlflow-password",
    "MLFLOW_TRACKING_TOKEN": "planted-mlflow-token",
}
PASSWORD = "planted-in-an-address"
AWAY = f"http://user:{PASSWORD}@127.0.0.1"
BUCKET = f"s3://key:{PASSWORD}@bucket/runs?token={PASSWORD}"
SWEEP = ["sweep", "loss", "--data", "tones", *TINY, "--set", "epochs=1"]


@pytest.fixture
def ray_folder(monkeypatch):
    """Where Ray keeps its sessions' logs; short, since sockets are below it."""
    folder = Path(tempfile.mkdtemp(dir="/tmp", prefix="r-"))
    monkeypatch.setenv("RAY_TMPDIR", str(folder))
    yield folder
    shutil.rmtree(folder)


def commands():
    """Arguments and exit code: what works, what fails, what is refused."""
    server = f"{AWAY}:{free_port()}"
    yield ["list"], 0
    yield ["plan", "loss", "--data", "tones", *TINY], 0
    yield SWEEP, 0
    failing = ["--set", "learning_rate=1e30", "--set", "epochs=3", "--tracking-uri", server]
    yield [*SWEEP, "--storage", "failed", *failing], 1
    yield ["status", "loss", "--storage", "failed"], None
    yield ["report", "loss", "--out", "report"], 0
    yield ["sync", "--storage", "runs", "--tracking-uri", server], 1
    yield ["sync", "--storage", "runs", "--tracking-uri", "sqlite:///other.db"], 0
    yield ["ui", "--tracking-uri", server], 2
    yield ["submit", "loss", "--storage", BUCKET, "--tracking-uri", server], 2
    yield ["submit", "loss", "--address", AWAY], 2
    for name in ("plan", "status", "report", "sweep"):
        yield [name, "loss", "--storage", BUCKET], 2
    yield ["plan", "loss", "--data", BUCKET], 2


def written_in(*folders):
    """Every file's path and content."""
    files = [path for folder in folders for path in folder.rglob("*")]
    return {str(path): path.read_bytes() for path in files if path.is_file()}


def forms():
    """What a secret may look like: as it is, and as HTTP sends it."""
    plain = [*SECRETS.values(), PASSWORD]
    sent = [f"user:{PASSWORD}", f"user:{SECRETS['MLFLOW_TRACKING_PASSWORD']}"]
    return [each.encode() for each in plain] + [base64.b64encode(each.encode()) for each in sent]


@pytest.mark.slow
def test_no_secret_is_in_what_commands_write(tmp_path, monkeypatch, ray_folder):
    made.make(tmp_path / "tones")
    for name, secret in ({"MLFLOW_TRACKING_USERNAME": "user"} | SECRETS).items():
        monkeypatch.setenv(name, secret)
    said = {}
    for arguments, code in commands():
        done = run(*arguments, folder=tmp_path)
        assert code in (None, done.returncode), (arguments, done.stdout, done.stderr)
        said[" ".join(arguments[:2])] = (done.stdout + done.stderr).encode()
        assert b"Traceback" not in said[" ".join(arguments[:2])]
        written = said | written_in(tmp_path, ray_folder)
        leaks = {place for place, text in written.items() for form in forms() if form in text}
        assert not leaks, (arguments, leaks)
    seen = "\n".join(written)
    for place in ("failures/", "mlflow.db", "other.db", "report/", "records/", "raylet.out"):
        assert place in seen
