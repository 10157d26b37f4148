"""MLflow's page on loopback."""

import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from data_shards.errors import UsageError
from orchestrator import ui


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.2", "example.org", ""])
def test_host_not_loopback(host: str) -> None:
    with pytest.raises(UsageError, match="--host must be a loopback address"):
        ui.serve("sqlite:///mlflow.db", host=host)


def test_bad_calls(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--port"):
        ui.serve("sqlite:///mlflow.db", port=0)
    with pytest.raises(UsageError, match="run a sweep first"):
        ui.serve(f"sqlite:///{tmp_path}/none.db")
    with pytest.raises(UsageError, match="http://host:5000 is a server"):
        ui.serve("http://ada:secret@host:5000")


def test_command() -> None:
    assert ui.ui_command("sqlite:///mlflow.db") == "python -m orchestrator ui"
    assert ui.ui_command("sqlite:////a b/m.db") == (
        "python -m orchestrator ui --tracking-uri 'sqlite:////a b/m.db'"
    )
    assert ui.ui_command("http://ada:secret@host:5000") == "open http://host:5000 in a browser"


def test_serve(tmp_path: Path) -> None:
    """The page answers, and ending the command ends the server."""
    (tmp_path / "mlflow.db").touch()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    code = f"from orchestrator import ui; ui.serve('sqlite:///{tmp_path}/mlflow.db', port={port})"
    process = subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.DEVNULL)
    try:
        assert _answers(f"http://127.0.0.1:{port}/", seconds=60)
    finally:
        process.terminate()
        process.wait(30)
    assert not _answers(f"http://127.0.0.1:{port}/", seconds=0)


def _answers(url: str, *, seconds: float) -> bool:
    end = time.monotonic() + seconds
    while True:
        try:
            return b"MLflow" in urllib.request.urlopen(url, timeout=5).read()
        except OSError:
            if time.monotonic() > end:
                return False
            time.sleep(0.1)
