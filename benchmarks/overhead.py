"""What a trial costs beside its training: (t(many) − t(few)) / (many − few), an empty trainable.

Everything else is the product's, on a local Ray with two CPUs: plan, Ray Tune with reused actors,
reports, arrays and records written with fsync, the live table, MLflow on SQLite, the answer.
`VFSEL_BENCH_FULL=1` takes 100 and 1,000 trials instead of 50 and 250.
"""

import os
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from benchmarks.empty_trials import RUNTIME, rss, run, run_tracked
from benchmarks.figures import Figure
from orchestrator.ray_environment import set_environment
from orchestrator.resources import Resources

FULL = bool(os.environ.get("VFSEL_BENCH_FULL"))
FEW, MANY = (100, 1000) if FULL else (50, 250)
ONE_CPU = Resources(cpus_per_trial=1.0)
FUNCTION_TRIALS = 6


def measure() -> Iterator[Figure]:
    """Marginal seconds and memory, without and with tracking, and a function trainable's."""
    set_environment()
    import ray

    ray.init(
        address="local", num_cpus=2, include_dashboard=False, log_to_driver=False,
        runtime_env=RUNTIME,
    )  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        here = Path(folder)
        run(here / "warm", 8, ONE_CPU)
        yield from _marginal("without tracking", run, here / "plain", goal=0.10)
        run_tracked(here / "warm-mlflow", 8, ONE_CPU)  # imports MLflow
        yield from _marginal("with MLflow on SQLite", run_tracked, here / "mlflow", goal=0.25)
    yield _function_trainable()


def _marginal(
    how: str, sweep: Callable[[Path, int, Resources], float], folder: Path, *, goal: float
) -> Iterator[Figure]:
    memory = [rss()]
    few = sweep(folder / "few", FEW, ONE_CPU)
    memory.append(rss())
    many = sweep(folder / "many", MANY, ONE_CPU)
    memory.append(rss())
    # A sweep costs memory too (a database's engine): what counts is what more trials add to it.
    grown = (memory[2] - 2 * memory[1] + memory[0]) / (MANY - FEW)
    note = f"{FEW} trials {few:.1f} s, {MANY} trials {many:.1f} s"
    yield Figure(
        what=f"marginal time a trial, {how}", value=(many - few) / (MANY - FEW), unit="s",
        at_most=goal, note=note,
    )  # fmt: skip
    yield Figure(
        what=f"driver memory a trial, {how}", value=grown, unit="MB", at_most=0.2,
        note=f"{memory[0]:.0f} MB, then {memory[1]:.0f} and {memory[2]:.0f} after the two sweeps",
    )  # fmt: skip


def _function_trainable() -> Figure:
    """The same empty trial as a Tune function: a process and an import of PyTorch each."""
    from ray import tune

    def train(config: dict[str, Any]) -> None:
        import torch

        tune.report({"r1_sum": float(torch.zeros(1))})

    def fit(count: int) -> float:
        with tempfile.TemporaryDirectory() as folder:
            space = {"gamma": tune.grid_search(list(range(count)))}
            where = tune.RunConfig(storage_path=folder, verbose=0)
            start = time.perf_counter()
            tune.Tuner(
                tune.with_resources(train, {"cpu": 1}), param_space=space, run_config=where
            ).fit()
            return time.perf_counter() - start

    few, many = fit(2), fit(2 + FUNCTION_TRIALS)
    return Figure(
        what="marginal time a trial, an empty function trainable (what one would write by hand)",
        value=(many - few) / FUNCTION_TRIALS, unit="s", note="without tracking, nothing recorded",
    )  # fmt: skip
