"""What tracking costs on a real MLflow server: requests a report, and the driver's time.

Two sweeps of the same trials, one after the other on one local Ray: ours, and a Tune function that
reports the same numbers, with the stock `MLflowLoggerCallback`. Trials sleep in their epochs, so
that there is time to track as in training. Requests are counted where they leave this process; the
driver's time is what Tune's loop waits for the callback.
"""

import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import requests

from benchmarks.empty_trials import EPOCH_SECONDS, METRICS, RUNTIME, run_tracked
from benchmarks.figures import Figure
from orchestrator.ray_environment import set_environment
from orchestrator.resources import Resources
from tests.orchestrator.test_tracking_server import Server

TRIALS, EPOCHS, SECONDS = 4, 10, 1.0
ONE_CPU = Resources(cpus_per_trial=1.0)


class _Spent:
    """Requests by what they do, and seconds that the loop waited."""

    def __init__(self) -> None:
        self.requests: Counter[str] = Counter()
        self.seconds = 0.0
        self.wall = 0.0

    def timed(self, owner: Any, name: str) -> None:
        """Add up the time of a method, where it is not called from itself."""
        whole, inside = getattr(owner, name), threading.local()

        def method(*arguments: Any, **options: Any) -> Any:
            if getattr(inside, "now", False):
                return whole(*arguments, **options)
            inside.now, start = True, time.perf_counter()
            try:
                return whole(*arguments, **options)
            finally:
                inside.now = False
                self.seconds += time.perf_counter() - start

        setattr(owner, name, method)


def measure() -> Iterator[Figure]:
    """Ours, then the stock callback."""
    set_environment()
    import ray

    environment = RUNTIME["env_vars"] | {EPOCH_SECONDS: str(SECONDS)}
    ray.init(
        address="local", num_cpus=2, include_dashboard=False, log_to_driver=False,
        runtime_env=RUNTIME | {"env_vars": environment},
    )  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        server = Server(Path(folder))
        server.start()
        try:
            ours, stock = _ours(Path(folder), server.uri), _stock(folder, server.uri)
        finally:
            server.kill()
    reports = TRIALS * (EPOCHS + 1)  # the record, with the test metrics, is one more
    beside = f"stock callback: {sum(stock.requests.values()) / reports:.3g} requests a report"
    yield Figure(
        what="requests that log a report, a report of a run",
        value=ours.requests["log-batch"] / reports, unit="requests", at_most=1.0,
        note=f"{beside}; all of ours, runs and pictures included: "
        f"{sum(ours.requests.values()) / reports:.3g}",
    )  # fmt: skip
    yield Figure(
        what="share of the driver's time that tracking takes", value=100 * ours.seconds / ours.wall,
        unit="%", at_most=1.0,
        note=f"{1000 * ours.seconds / reports:.2f} ms a report; stock callback: "
        f"{100 * stock.seconds / stock.wall:.3g} %, {1000 * stock.seconds / reports:.0f} ms a "
        "report, the server idle and on this machine",
    )  # fmt: skip


def _count(spent: _Spent) -> Any:
    whole = requests.Session.send

    def send(session: requests.Session, request: Any, **options: Any) -> Any:
        spent.requests[str(request.path_url).split("?", 1)[0].rsplit("/", 1)[-1]] += 1
        return whole(session, request, **options)

    requests.Session.send = send  # type: ignore[method-assign,assignment]
    return whole


def _ours(folder: Path, uri: str) -> _Spent:
    from orchestrator import sweeping

    spent = _Spent()
    for name in ("planned", "started", "reported", "ended"):
        spent.timed(sweeping._Tracking, name)
    whole = _count(spent)
    spent.wall = run_tracked(folder / "ours", TRIALS, ONE_CPU, uri=uri, epochs=EPOCHS)
    requests.Session.send = whole  # type: ignore[method-assign]
    return spent


def _stock(folder: str, uri: str) -> _Spent:
    from ray import tune
    from ray.air.integrations.mlflow import MLflowLoggerCallback

    def train(config: dict[str, Any]) -> None:
        for epoch in range(1, EPOCHS + 1):
            time.sleep(SECONDS)
            tune.report(METRICS | {"epoch": epoch, "loss": 1.0, "r1_sum": 24.6})

    spent = _Spent()
    for name in ("log_trial_start", "log_trial_result", "log_trial_end"):
        spent.timed(MLflowLoggerCallback, name)
    whole = _count(spent)
    callback = MLflowLoggerCallback(tracking_uri=uri, experiment_name="stock")
    where = tune.RunConfig(storage_path=f"{folder}/stock", verbose=0, callbacks=[callback])
    space = {"gamma": tune.grid_search(list(range(TRIALS)))}
    start = time.perf_counter()
    tune.Tuner(tune.with_resources(train, {"cpu": 1}), param_space=space, run_config=where).fit()
    spent.wall = time.perf_counter() - start
    requests.Session.send = whole  # type: ignore[method-assign]
    return spent
