"""What the fault tests share: one small sweep, its undisturbed records, seeded moments."""

import json
import os
import random
import time

import pytest
from filelock import FileLock

from orchestrator.storage import Storage
from tests import made
from tests.faults.mlflow_faults import behind_proxy
from tests.orchestrator.command import TINY, results, run

EPOCHS = 12
SWEEP = ["sweep", "loss", "--data", "tones", "--set", f"epochs={EPOCHS}", *TINY]
ALONE = ["sweep", "baseline", *SWEEP[2:]]
"""One of the two trials of `SWEEP`: enough where what fails is not one trial of several."""
LONG = ["sweep", "loss", "--data", "tones", "--seeds", "2", "--set", "epochs=60", *TINY]
"""Four trials that outlast many kills."""
SEEDS = range(int(os.environ.get("FAULT_SEEDS", "1")))
"""Each fault comes at so many moments; three where there is time."""


def moment(fault, seed, low=1, high=EPOCHS - 5):
    """The epoch at which a fault comes: the same for the same seed."""
    return random.Random(f"{fault} {seed}").randint(low, high)


def records(storage):
    """What the storage (a folder or URI) holds, without clock and place, by trial id."""
    store = Storage(str(storage))
    return {trial_id: results(store.record(trial_id)) for trial_id in store.record_ids()}


def epochs_of(storage):
    """Epochs reported so far, by trial id."""
    store = Storage(str(storage))
    return {trial_id: len(store.reports(trial_id)) for trial_id in store.report_ids()}


def wait_for_epoch(storage, epoch, seconds=180):
    """Until some trial has reported so many epochs."""
    deadline = time.monotonic() + seconds
    while max(epochs_of(storage).values(), default=0) < epoch:
        assert time.monotonic() < deadline, f"no trial came to epoch {epoch}"
        time.sleep(0.02)


def records_of(sweep, folder):
    """The records of a sweep of `tones` in an empty folder."""
    made.make(folder / "tones", per_class=20)
    done = run(*sweep, folder=folder)
    assert done.returncode == 0, done.stderr
    return records(folder / "runs")


@pytest.fixture
def folder(tmp_path):
    """A working folder with the data set `tones`."""
    made.make(tmp_path / "tones", per_class=20)
    return tmp_path


def _shared(name, sweep, tmp_path_factory):
    """The records of a sweep when nothing happens to it; pytest's workers share them."""
    folder = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        folder = folder.parent
    kept = folder / f"{name}.json"
    with FileLock(f"{kept}.lock"):
        if not kept.exists():
            kept.write_text(json.dumps(records_of(sweep, tmp_path_factory.mktemp(name))))
    return json.loads(kept.read_text())


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory):
    """The records of `SWEEP` when nothing happens to it."""
    return _shared("undisturbed", SWEEP, tmp_path_factory)


@pytest.fixture(scope="session")
def undisturbed_alone(undisturbed):
    """The record of `ALONE` when nothing happens to it."""
    (found,) = (i for i, r in undisturbed.items() if r["experiment"]["loss"]["name"] == "matching")
    return {found: undisturbed[found]}


@pytest.fixture(scope="session")
def undisturbed_long(tmp_path_factory):
    """The records of `LONG` when nothing happens to it."""
    return _shared("undisturbed_long", LONG, tmp_path_factory)


@pytest.fixture
def mlflow(tmp_path):
    """A server of the test's own, and the proxy before it."""
    with behind_proxy(tmp_path / "mlflow") as both:
        yield both
