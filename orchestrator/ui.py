"""MLflow's page, on loopback only: it has no password."""

import ipaddress
import os
import shlex
import socket
import sys
from typing import NoReturn

from data_shards.errors import UsageError
from orchestrator import tracking_uri


def serve(uri: str, host: str = "127.0.0.1", port: int = 5000) -> NoReturn:
    """Become `mlflow ui` on the runs of an SQLite file, until Ctrl-C.

    The process is replaced, so that whatever signal ends this command ends the server.

    Raises:
        UsageError: a host that is not loopback, a port out of range, a file that is not there, or
            a URI of a server, which has a page of its own.
    """
    checked = tracking_uri.parse(uri)
    _check_address(host, port)
    if checked.database is None:
        raise UsageError(f"{checked.shown} is a server: open that address in a browser.")
    if not checked.database.exists():
        raise UsageError(f"{checked.database} does not exist: run a sweep first.")
    print(
        f"MLflow starts at http://{_bracketed(host)}:{port} (Ctrl-C ends it)",
        file=sys.stderr,
        flush=True,
    )
    command = [
        sys.executable, "-m", "mlflow", "ui", "--backend-store-uri", checked.text,
        "--default-artifact-root", str(checked.artifacts),
        "--host", host, "--port", str(port), "--workers", "1",
    ]  # fmt: skip
    os.execve(sys.executable, command, os.environ | _quiet())  # noqa: S606


def ui_command(uri: str) -> str:
    """What a person types, in one line, to see the runs; no user or password in it."""
    checked = tracking_uri.parse(uri)
    if checked.database is None:
        return f"open {checked.shown} in a browser"
    command = "python -m orchestrator ui"
    return (
        command if uri == tracking_uri.DEFAULT else f"{command} --tracking-uri {shlex.quote(uri)}"
    )


def _check_address(host: str, port: int) -> None:
    if not _is_loopback(host):
        raise UsageError(
            f"--host must be a loopback address (127.0.0.1, ::1, localhost), but got {host!r}: the "
            "page has no password; from elsewhere use ssh -L."
        )
    if not 1 <= port <= 65535:
        raise UsageError(f"--port must be in 1–65535, but got {port}.")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise UsageError(
                f"--port must be free, but {port} is not ({error.strerror}): give another."
            ) from error


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _quiet() -> dict[str, str]:
    return {
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
        "MLFLOW_LOGGING_LEVEL": "ERROR",
    }
