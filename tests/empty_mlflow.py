"""An empty SQLite file of MLflow's: its migrations take seconds, so it is made once."""

import functools
import tempfile
from pathlib import Path


@functools.cache
def empty_mlflow() -> bytes:
    """The content of a new file, with all its tables."""
    from mlflow import MlflowClient  # most tests need none: it takes its time

    with tempfile.TemporaryDirectory() as folder:
        MlflowClient(f"sqlite:///{folder}/empty.db").search_experiments()
        return Path(folder, "empty.db").read_bytes()
