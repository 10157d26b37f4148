"""Runs `python -m orchestrator` as a user does, on the tests' own small data."""

import os
import subprocess
import sys
from pathlib import Path

from tests.empty_mlflow import empty_mlflow
from tests.orchestrator.warm import WarmCommand, is_plain

TINY = [
    "--set", "image_size=64", "--set", "batch_size=16", "--set", "embedding=16",
    "--set", "speech_attention_hidden=8",
]  # fmt: skip


def run(*arguments: str, folder: Path, timeout: float = 900) -> subprocess.CompletedProcess[str]:
    """The finished command, with its output."""
    _spare_migrations(arguments, folder)
    environment = _environment(folder)
    if not is_plain(environment):
        return subprocess.run(
            _line(arguments), cwd=folder, env=environment, capture_output=True, text=True,
            timeout=timeout,
        )  # fmt: skip
    command = WarmCommand(arguments, folder=folder, environment=environment, merged=False)
    try:
        said = command.communicate(timeout)
    finally:
        command.kill()
    return subprocess.CompletedProcess(command.args, command.wait(), *said)


def start(*arguments: str, folder: Path) -> subprocess.Popen[str] | WarmCommand:
    """The command under way, in a process group of its own."""
    _spare_migrations(arguments, folder)
    environment = _environment(folder)
    if is_plain(environment):
        return WarmCommand(arguments, folder=folder, environment=environment, merged=True)
    return subprocess.Popen(
        _line(arguments), cwd=folder, env=environment, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True, start_new_session=True,
    )  # fmt: skip


def _spare_migrations(arguments: tuple[str, ...], folder: Path) -> None:
    """A first sweep finds its database of MLflow's made."""
    if arguments[0] == "sweep" and "--tracking-uri" not in arguments:
        database = folder / "mlflow.db"
        if not database.exists():
            database.write_bytes(empty_mlflow())


def _line(arguments: tuple[str, ...]) -> list[str]:
    return [sys.executable, "-m", "orchestrator", *arguments]


def _environment(folder: Path) -> dict[str, str]:
    return os.environ | {"VFSEL_CACHE": str(folder / "cache"), "OMP_NUM_THREADS": "1"}


def results(record: dict) -> dict:
    """What must be equal between two runs of a trial: everything but clock and place."""
    clock = {"seconds", "pairs_per_second", "time"}
    kept = {key: value for key, value in record.items() if key not in ("seconds", "environment")}
    reports = [{k: v for k, v in r.items() if k not in clock} for r in record["reports"]]
    return kept | {"reports": reports}
