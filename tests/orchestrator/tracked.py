"""What the tracker's tests share: trials, what their training leaves, and what MLflow holds."""

import json
import time
from pathlib import Path
from typing import Any

import numpy as np

from orchestrator.storage import Storage
from orchestrator.tracking import PlanInfo, Tracker
from search_spaces.designs import Trial
from trainables.experiment import Experiment

EPOCHS = 4
BASE = Experiment(image_encoder="small", epochs=EPOCHS, data="d" * 64)
TRIALS = [Trial(BASE.replace(gamma=gamma), {"gamma": gamma}) for gamma in (1.0, 5.0, 10.0)]
FINISHED_TAGS = {"vfsel.code": "0.1.0+abc", "vfsel.host": "node7", "vfsel.device": "cpu"}


def plan_of(test: str) -> PlanInfo:
    """A plan of its own for each test."""
    name = test.removeprefix("test_")
    return PlanInfo(name, "Which γ?", f"plan-{name}", BASE, "synth", "d" * 64)


def wait_for(condition: Any, *, seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.05)


def reports(count: int) -> list[dict[str, Any]]:
    return [
        {
            "epoch": epoch, "loss": 4.0 / epoch, "learning_rate": 1e-3, "seconds": 2.0,
            "pairs_per_second": 100.0, "time": 1_700_000_000.5 + 2 * epoch,
            "metrics": {"s2i_r1": 10.0 * epoch, "i2s_r1": 5.0 * epoch, "r1_sum": 15.0 * epoch},
        }
        for epoch in range(1, count + 1)
    ]  # fmt: skip


def record(storage: Storage, trial: Trial, value: float = 45.0) -> None:
    found = {
        "trial_id": trial.id, "experiment": trial.experiment.to_dict(), "dataset": "synth",
        "selection": {"metric": "r1_sum", "split": "val", "epoch": 3, "value": value},
        "test": {"s2i_r1": 40.0, "i2s_r1": 50.0}, "reports": reports(EPOCHS), "dropped": {},
        "parameters": {}, "seconds": 8.0,
        "environment": {"code": "0.1.0+abc", "host": "node7", "device": "cpu", "threads": 1},
    }  # fmt: skip
    storage.write_reports(trial.id, reports(EPOCHS))
    storage.write_record(found, {"ranks": np.ones(2)})


def track(uri: str, storage: Storage, plan: PlanInfo, *, trials: list[Trial] | None = None) -> bool:
    """A command that finds everything as it is, and ends."""
    tracker = Tracker(uri=uri, storage=storage, plan=plan)
    tracker.start(TRIALS if trials is None else trials)
    return tracker.finish({}, {})


class Seen:
    """What MLflow holds of a plan, read with a client of our own."""

    def __init__(self, uri: str, plan: PlanInfo) -> None:
        from mlflow import MlflowClient

        self.client = MlflowClient(tracking_uri=uri)
        experiment = self.client.get_experiment_by_name(f"vfsel/{plan.sweep}")
        runs = self.client.search_runs([experiment.experiment_id]) if experiment else []
        mine = [run for run in runs if run.data.tags["vfsel.plan_id"] == plan.plan_id]
        self.parents = [run for run in mine if "mlflow.parentRunId" not in run.data.tags]
        self.children = {run.info.run_name: run for run in mine if run not in self.parents}
        assert len(self.children) == len(mine) - len(self.parents), "a child stands there twice"

    @property
    def parent(self) -> Any:
        (parent,) = self.parents
        return parent

    def steps(self, name: str, metric: str) -> list[int]:
        history = self.client.get_metric_history(self.children[name].info.run_id, metric)
        for point in history:  # a replay adds nothing only if it carries the report's own time
            assert point.timestamp == 1_700_000_000_500 + 2000 * point.step
        return [point.step for point in history]

    def artifact(self, name: str, path: str, to: Path) -> bytes:
        run_id = self.children[name].info.run_id
        to.mkdir(exist_ok=True)
        return Path(self.client.download_artifacts(run_id, path, str(to))).read_bytes()

    def everything(self) -> Any:
        """All that a repeated command must leave as it is."""
        runs = [*self.parents, *self.children.values()]
        return {
            run.info.run_id: (
                run.info.status, run.info.start_time, run.info.end_time, run.data.tags,
                run.data.params,
                {
                    key: [(m.step, m.value, m.timestamp) for m in history]
                    for key in run.data.metrics
                    for history in [self.client.get_metric_history(run.info.run_id, key)]
                },
            )
            for run in runs
        }  # fmt: skip


def check_finished(seen: Seen, name: str, to: Path) -> None:
    child = seen.children[name]
    assert child.info.status == "FINISHED"
    assert child.data.tags["mlflow.parentRunId"] == seen.parent.info.run_id
    assert FINISHED_TAGS.items() <= child.data.tags.items()
    assert child.data.tags["vfsel.data"] == "d" * 64
    for metric in ("epoch", "loss", "learning_rate", "pairs_per_second", "s2i_r1", "i2s_r1"):
        assert seen.steps(name, metric) == [1, 2, 3, 4]
    wanted = {"best_epoch": 3, "best_s2i_r1": 30, "best_i2s_r1": 15, "test_s2i_r1": 40}
    assert (wanted | {"test_i2s_r1": 50}).items() <= child.data.metrics.items()
    assert (child.info.start_time, child.info.end_time) == (1_700_000_000_500, 1_700_000_008_500)
    assert json.loads(seen.artifact(name, "config.json", to))["image_encoder"] == "small"
    assert len(seen.artifact(name, "curves.csv", to).splitlines()) == EPOCHS + 1
    assert seen.artifact(name, "curves.png", to).startswith(b"\x89PNG")
