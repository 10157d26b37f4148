"""MLflow's client as a background guest: silent, quick to give up; its database looked at first."""

import logging
import os
import sqlite3
import tempfile
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

LOCK_SECONDS = 2.0  # that another process may write to an SQLite file


def quieten() -> None:
    """Settings of MLflow for a background guest: silent, quick to give up, no telemetry.

    No retries inside a request: the caller asks again, and looks first what has arrived.
    """
    defaults = {
        "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0",
        "MLFLOW_HTTP_REQUEST_TIMEOUT": "10",
        "MLFLOW_LOGGING_LEVEL": "ERROR",
        "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
        "MLFLOW_DISABLE_TELEMETRY": "true",
    }
    for name, value in defaults.items():
        os.environ.setdefault(name, value)
    for name in ("alembic", "mlflow", "urllib3.connectionpool", "matplotlib.font_manager"):
        logging.getLogger(name).setLevel(logging.ERROR)


def check_unlocked(database: Path | None) -> None:
    """A locked SQLite file is said at once: MLflow would try for minutes to open it.

    Raises:
        sqlite3.OperationalError: another process has locked it.
    """
    if database is None or not database.exists():
        return
    with closing(sqlite3.connect(database, timeout=LOCK_SECONDS)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        connection.rollback()


def log_pictures(client: Any, run_id: str, pictures: Mapping[str, bytes]) -> None:
    """Keep pictures, by file name, among a run's artifacts, and mark that they are there."""
    with tempfile.TemporaryDirectory() as folder:
        for name, content in pictures.items():
            (Path(folder) / name).write_bytes(content)
        client.log_artifacts(run_id, folder, "pictures")
    client.set_tag(run_id, "vfsel.pictures", "yes")
