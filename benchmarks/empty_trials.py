"""Sweeps of trials that train nothing: all that is left is what the orchestrator costs."""

import os
import tempfile
import time
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

from orchestrator.planning import Question, ask
from orchestrator.resources import Resources
from orchestrator.storage import Storage
from search_spaces.sweep import load
from tests import made
from trainables.presets import PRESETS

DIRECTIONS = ("s2i", "i2s")
SCORES = ("r1", "r5", "r10", "map50", "map50_hits", "map50_thesis", "medr", "chance")
METRICS = {f"{way}_{name}": 12.3 for way in DIRECTIONS for name in SCORES}
EPOCH_SECONDS = "VFSEL_EMPTY_EPOCH_SECONDS"
"""Environment of a trial: how long it sleeps in an epoch."""


def question(count: int, *, epochs: int = 1) -> Question:
    """A question of so many trials: two cells, half as many seeds."""
    with tempfile.TemporaryDirectory() as folder:
        data = made.make(Path(folder))
    settings = {"batch_size": "16", "epochs": str(epochs)}
    return ask(load("loss"), preset=PRESETS["demo"], settings=settings, seeds=count // 2, data=data)


def train_nothing() -> None:
    """In a trial's process: reports, then an outcome of the usual size."""
    import numpy as np

    from orchestrator import trainable
    from trainables.training import Outcome, Report

    def train(experiment: Any, **options: Any) -> Any:
        for epoch in range(1, experiment.epochs + 1):
            time.sleep(float(os.environ.get(EPOCH_SECONDS, "0")))
            yield Report(epoch, 1.0, 1e-3, METRICS | {"r1_sum": 24.6}, 0.01, 100.0)
        queries = {f"{way}_{name}": np.zeros(1000) for way in DIRECTIONS for name in ("rank", "ap")}
        test = METRICS | {"r1_sum": 24.6}
        return Outcome(1, 24.6, test, queries, {}, {}, {"image": 1, "speech": 1}, {})

    trainable.train = train


RUNTIME = {
    "worker_process_setup_hook": train_nothing,
    "env_vars": {"PYTHONPATH": str(Path(__file__).parents[1])},  # where the hook is found
}


def run(folder: Path, count: int, resources: Resources) -> float:
    """Seconds of a sweep without tracking, its table's lines written to a file."""
    from rich.console import Console

    from orchestrator.live import LiveTable
    from orchestrator.runner import Runner

    asked, storage = question(count), Storage(str(folder / "runs"))
    data = made.make(folder / "tones")
    storage.write_plan(asked.to_dict())
    with (folder / "lines").open("w") as lines, redirect_stderr(lines):
        table = LiveTable(Console(file=lines), storage)
        start = time.perf_counter()
        runner = Runner(asked, data, storage, resources, max_failures=0, watchers=[table])
        runner.run()
    assert not runner.failures, next(iter(runner.failures.values()))
    assert len(storage.record_ids()) == count
    return time.perf_counter() - start


def run_tracked(
    folder: Path, count: int, resources: Resources, *, uri: str = "", epochs: int = 1
) -> float:
    """Seconds of the whole command: the sweep, MLflow (on SQLite) up to date, the answer."""
    from orchestrator.sweeping import run_sweep

    data = made.make(folder / "tones")
    with (folder / "lines").open("w") as lines, redirect_stderr(lines), redirect_stdout(lines):
        start = time.perf_counter()
        found = run_sweep(
            question(count, epochs=epochs), data, storage_url=str(folder / "runs"),
            tracking_uri=uri or f"sqlite:///{folder}/mlflow.db", resources=resources,
            max_failures=0,
        )  # fmt: skip
        taken = time.perf_counter() - start
    assert found.code == 0
    return taken


def rss() -> float:
    """Memory of this process, MB."""
    (line,) = [x for x in Path("/proc/self/status").read_text().splitlines() if "VmRSS" in x]
    return int(line.split()[1]) / 1000
