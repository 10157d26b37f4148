"""What a sweep imports, imported once for the commands of all tests; nothing of it may start."""

import importlib
import os

from orchestrator.ray_environment import set_environment

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
set_environment()

for name in (
    "mlflow.pytorch", "mlflow.store.tracking.sqlalchemy_store", "orchestrator.__main__",
    "orchestrator.pictures.drawing", "orchestrator.report.page", "orchestrator.search.run",
    "orchestrator.sweeping", "orchestrator.trainable",
):  # fmt: skip
    importlib.import_module(name)
