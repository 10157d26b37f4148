"""The tracker alone, where MLflow fails: a thread fills the storage as trials would.

Servers are real, behind a real proxy that fails as asked; databases are real files.
"""

import threading
import time

import pytest

from orchestrator import tracking
from orchestrator.shipping import Shipper
from orchestrator.storage import Storage
from orchestrator.tracking import Tracker
from tests.empty_mlflow import empty_mlflow
from tests.faults.mlflow_faults import (
    FAIL,
    LOSE,
    PASS,
    SLOW,
    Proxy,
    absent,
    assert_whole,
    locked,
    runs,
)
from tests.orchestrator.tracked import EPOCHS, TRIALS, plan_of, record, reports, track, wait_for

pytestmark = pytest.mark.slow


@pytest.fixture
def database(tmp_path):
    """An SQLite file of the test's own."""
    (tmp_path / "mlflow.db").write_bytes(empty_mlflow())
    return tmp_path / "mlflow.db"


@pytest.fixture
def storage(tmp_path):
    return Storage(str(tmp_path / "results"))


@pytest.fixture
def plan(request):
    return plan_of(request.node.originalname)


def _fill(storage, tracker, *, pause):
    """What three trials leave while they run, and what a driver tells the tracker of it."""
    running = {trial.id for trial in TRIALS}
    for epoch in range(1, EPOCHS + 1):
        for trial in TRIALS:
            storage.write_reports(trial.id, reports(epoch))
            tracker.update(TRIALS, running)
        time.sleep(pause)
    for trial in TRIALS:
        record(storage, trial)
        tracker.update(TRIALS, running := running - {trial.id})


def _track_filled(uri, storage, plan, *, pause=1.0, meanwhile=lambda: None):
    """A sweep's end to end for the tracker; whether MLflow has everything then."""
    tracker = Tracker(uri=uri, storage=storage, plan=plan)
    tracker.start(TRIALS)
    filling = threading.Thread(target=_fill, args=(storage, tracker), kwargs={"pause": pause})
    filling.start()
    meanwhile()
    filling.join()
    return tracker.finish({}, {})


def test_answers_lost(mlflow, storage, plan, capsys):
    """Everything is done, and nothing of it confirmed, for a while: nothing is there twice."""
    server, proxy = mlflow
    proxy.mode = LOSE

    def later():
        wait_for(lambda: sum(proxy.written.values()) >= 6)
        proxy.mode = PASS

    assert _track_filled(proxy.uri, storage, plan, meanwhile=later)
    assert_whole(server.uri, storage.url)
    assert capsys.readouterr().err == ""


def test_two_seconds_a_request(mlflow, storage, plan, monkeypatch):
    """The wait ends in time; what a slow server has not taken, the next command ships."""
    server, proxy = mlflow
    monkeypatch.setattr(tracking, "DRAIN_SECONDS", 4.0)
    proxy.mode = SLOW
    since = time.monotonic()
    assert not _track_filled(proxy.uri, storage, plan, pause=0.5)
    assert time.monotonic() - since < 0.5 * EPOCHS + 4 + 2
    proxy.mode = PASS
    wait_for(lambda: not [t for t in threading.enumerate() if t.name == "mlflow"])
    assert track(proxy.uri, storage, plan)
    assert_whole(server.uri, storage.url)


def test_at_most_one_request_a_report_a_run(mlflow, storage, plan):
    _, proxy = mlflow
    assert _track_filled(proxy.uri, storage, plan, pause=0.1)
    batches = proxy.written["POST /api/2.0/mlflow/runs/log-batch"]
    assert len(TRIALS) <= batches <= len(TRIALS) * (EPOCHS + 1) + len(TRIALS) + 1  # the parent's


@pytest.mark.parametrize("when", ["at the start", "in the middle"])
def test_database_locked_by_another_process(database, storage, plan, when, capsys):
    uri = f"sqlite:///{database}"
    if when == "in the middle":
        storage.write_reports(TRIALS[0].id, reports(1))
        assert track(uri, storage, plan)
    with locked(database):
        tracker = Tracker(uri=uri, storage=storage, plan=plan)
        tracker.start(TRIALS)
        since = time.monotonic()
        _fill(storage, tracker, pause=0.2)
        assert time.monotonic() - since < 0.2 * EPOCHS + 2
        assert not tracker.finish({}, {})
    (line,) = capsys.readouterr().err.splitlines()
    assert "database is locked" in line
    assert track(uri, storage, plan)
    assert_whole(uri, storage.url)


def test_database_locked_for_a_while(database, storage, plan, capsys):
    def held():
        with locked(database):
            time.sleep(3)

    assert _track_filled(f"sqlite:///{database}", storage, plan, meanwhile=held)
    assert_whole(f"sqlite:///{database}", storage.url)
    assert capsys.readouterr().err == ""


def test_an_outage_costs_few_requests_and_reads(storage, plan, monkeypatch):
    """Passes grow rarer, and one ends at its first failure: no record is read."""
    monkeypatch.setattr(tracking, "PAUSE_SECONDS", 0.05)
    read, whole = [], Storage.record
    monkeypatch.setattr(
        Storage, "record", lambda self, name: read.append(name) or whole(self, name)
    )
    for trial in TRIALS:
        record(storage, trial)
    proxy = Proxy(absent())
    proxy.mode = FAIL
    tracker = Tracker(uri=proxy.uri, storage=storage, plan=plan)
    tracker.start(TRIALS)
    for _ in range(60):
        tracker.update(TRIALS, set())
        time.sleep(0.05)
    assert proxy.seen.total() <= 10
    assert read == []
    assert not tracker.finish({}, {})
    proxy.stop()


def test_what_is_shipped_is_not_read_again(database, storage, plan, monkeypatch):
    uri = f"sqlite:///{database}"
    for trial in TRIALS[:2]:
        record(storage, trial)
    assert track(uri, storage, plan)
    read, whole = [], Storage.record
    monkeypatch.setattr(
        Storage, "record", lambda self, name: read.append(name) or whole(self, name)
    )
    monkeypatch.setattr(tracking, "PAUSE_SECONDS", 0.05)
    tracker = Tracker(uri=uri, storage=storage, plan=plan)
    tracker.start(TRIALS)
    for epoch in range(1, EPOCHS + 1):
        storage.write_reports(TRIALS[2].id, reports(epoch))
        tracker.update(TRIALS, {TRIALS[2].id})
        time.sleep(0.3)
    assert sorted(read) == sorted(trial.id for trial in TRIALS[:2]), "once, for their scores"
    assert tracker.finish({}, {})


@pytest.mark.parametrize("what", ["a run", "the parent", "the experiment", "tags"])
def test_users_delete_and_edit_meanwhile(database, storage, plan, what, capsys):
    """The thread goes on, and what MLflow lacks then is there after the next command."""
    uri = f"sqlite:///{database}"
    for trial in TRIALS[1:]:
        storage.write_reports(trial.id, reports(1))
    tracker = Tracker(uri=uri, storage=storage, plan=plan)
    tracker.start(TRIALS)
    tracker.update(TRIALS, {trial.id for trial in TRIALS[1:]})
    wait_for(lambda: len(runs(uri)) == 3 and all(r.data.metrics for r in runs(uri)))
    _edit(uri, what)
    for trial in TRIALS:
        record(storage, trial)
    tracker.update(TRIALS, set())
    time.sleep(1.5)
    assert tracker.finish({}, {})
    assert capsys.readouterr().err == ""
    assert track(uri, storage, plan)
    assert_whole_but_for_strangers(uri, storage)


def _edit(uri, what):
    from mlflow import MlflowClient

    client = MlflowClient(uri)
    (parent,) = [run for run in runs(uri) if "mlflow.parentRunId" not in run.data.tags]
    child = next(run for run in runs(uri) if "mlflow.parentRunId" in run.data.tags)
    if what == "a run":
        client.delete_run(child.info.run_id)
    elif what == "the parent":
        client.delete_run(parent.info.run_id)
    elif what == "the experiment":
        client.delete_experiment(parent.info.experiment_id)
    else:
        client.delete_tag(child.info.run_id, "vfsel.trial_id")
        client.set_tag(child.info.run_id, "mlflow.runName", "the user's own")


def assert_whole_but_for_strangers(uri, storage):
    """A run whose tags were edited away is the user's: it is left as it is."""
    from mlflow import MlflowClient

    client = MlflowClient(uri)
    for each in runs(uri):
        if each.info.run_name == "the user's own":
            client.delete_run(each.info.run_id)
    assert_whole(uri, storage.url)


@pytest.mark.parametrize("error", [RuntimeError, MemoryError, SystemExit, KeyboardInterrupt])
def test_no_error_of_the_thread_reaches_training(
    database, storage, plan, error, monkeypatch, capsys
):
    def fails(self, work):
        raise error("planted")

    monkeypatch.setattr(Shipper, "_pass", fails)
    assert not _track_filled(f"sqlite:///{database}", storage, plan, pause=0.01)
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("warning: MLflow at sqlite:///")
    assert f"{error.__name__}: planted" in line
