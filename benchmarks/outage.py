"""What an outage of MLflow costs training: epochs a second, beside those with a healthy server.

The same small sweep trains for real on a local Ray, in turns: with a healthy MLflow server, then
with one that hangs, answers 500 or is absent, and with an SQLite file that another process has
locked, each from the first request to the last. An epoch's time is taken from the trials' own
reports: what the end of the sweep waits for MLflow is not training, and is cut short here.
"""

import os
import statistics
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path

from benchmarks.figures import Figure
from data_shards.manifest import Data
from orchestrator import tracking
from orchestrator.planning import Question, ask
from orchestrator.ray_environment import set_environment
from orchestrator.resources import Resources
from orchestrator.storage import Storage
from search_spaces.sweep import load
from tests import made
from tests.empty_mlflow import empty_mlflow
from tests.faults.mlflow_faults import FAIL, HANG, PASS, absent, behind_proxy, locked
from trainables.presets import PRESETS

ROUNDS, EPOCHS = 3, 20
HEALTHY, ABSENT, LOCKED = "healthy", "absent", "locked"
OUTAGES = {
    HANG: "MLflow hangs", FAIL: "MLflow answers 500", ABSENT: "MLflow is absent",
    LOCKED: "MLflow's database is locked",
}  # fmt: skip
TINY = {
    "image_size": "64", "batch_size": "16", "embedding": "16", "speech_attention_hidden": "8",
    "epochs": str(EPOCHS),
}  # fmt: skip


def measure() -> Iterator[Figure]:
    """A round warms up, then every way in turn."""
    set_environment()
    import ray

    ray.init(address="local", num_cpus=2, include_dashboard=False, log_to_driver=False)
    tracking.DRAIN_SECONDS = 1.0
    # a tracker of an outage may still be writing
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        here = Path(folder)
        os.environ["VFSEL_CACHE"] = f"{folder}/cache"
        data = made.make(here / "tones", per_class=20)
        asked = ask(load("loss"), preset=PRESETS["demo"], settings=TINY, seeds=1, data=data)
        ways = [HEALTHY, *OUTAGES]
        rates: dict[str, list[float]] = {way: [] for way in ways}
        for number in range(ROUNDS + 1):
            for way in ways if number else [HEALTHY]:
                with _tracked_at(way, here / f"{number}-{way}") as uri:
                    rate = _epochs_per_second(asked, data, here / f"{number}-{way}", uri)
                if number:
                    rates[way].append(rate)
    healthy = statistics.median(rates[HEALTHY])
    for way, words in OUTAGES.items():
        median = statistics.median(rates[way])
        yield Figure(
            what=f"training throughput while {words}",
            value=median / healthy, unit="of normal", at_least=0.95,
            note=f"{median:.2f} epochs/s a trial, two at a time; {healthy:.2f} with a healthy "
            f"server; medians of {ROUNDS} turns",
        )  # fmt: skip


@contextmanager
def _tracked_at(way: str, folder: Path) -> Iterator[str]:
    """A tracking URI that fails in this way."""
    folder.mkdir()
    if way == ABSENT:
        yield absent()
    elif way == LOCKED:
        (folder / "mlflow.db").write_bytes(empty_mlflow())
        with locked(folder / "mlflow.db"):
            yield f"sqlite:///{folder}/mlflow.db"
    else:
        with behind_proxy(folder / "server") as (_, proxy):
            proxy.mode = PASS if way == HEALTHY else way
            yield proxy.uri


def _epochs_per_second(asked: Question, data: Data, folder: Path, uri: str) -> float:
    """Of a trial, from its first report to its last; the mean of both."""
    from orchestrator.sweeping import run_sweep

    storage = Storage(str(folder / "runs"))
    with (folder / "lines").open("w") as lines, redirect_stderr(lines), redirect_stdout(lines):
        found = run_sweep(
            asked, data, storage_url=storage.url, tracking_uri=uri,
            resources=Resources(cpus_per_trial=1.0), max_failures=0,
        )  # fmt: skip
    assert found.code == 0, (folder / "lines").read_text()
    times = [[r["time"] for r in storage.reports(name)] for name in storage.report_ids()]
    return statistics.fmean((len(each) - 1) / (each[-1] - each[0]) for each in times)
