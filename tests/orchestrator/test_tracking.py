"""The tracker against a real SQLite store (a real server: test_tracking_server.py)."""

from pathlib import Path
from typing import Any

import pytest

from data_shards import files
from orchestrator import tracking_uri
from orchestrator.pictures.logged import log
from orchestrator.storage import Storage
from orchestrator.tracking import Ended, PlanInfo, Tracker
from search_spaces.designs import Trial
from tests.orchestrator.tracked import (
    BASE,
    TRIALS,
    Seen,
    check_finished,
    plan_of,
    record,
    reports,
    track,
    wait_for,
)


@pytest.fixture
def storage(tmp_path: Path) -> Storage:
    return Storage(str(tmp_path / "results"))


@pytest.fixture
def plan(request: pytest.FixtureRequest) -> PlanInfo:
    return plan_of(request.node.name)


@pytest.fixture(scope="module")
def uri(tmp_path_factory: pytest.TempPathFactory) -> str:
    """One SQLite store for the module (its first migration takes seconds); a plan a test."""
    return f"sqlite:///{tmp_path_factory.mktemp('mlflow')}/mlflow.db"


def test_whole_sweep(uri: str, storage: Storage, plan: PlanInfo, tmp_path: Path) -> None:
    first, second, _ = TRIALS
    tracker = Tracker(uri=uri, storage=storage, plan=plan)
    tracker.start(TRIALS[:2])
    storage.write_reports(first.id, reports(2))
    tracker.update(TRIALS[:2], {first.id})
    wait_for(lambda: "gamma=1 seed=0" in Seen(uri, plan).children, seconds=60)
    wait_for(lambda: Seen(uri, plan).steps("gamma=1 seed=0", "epoch") == [1, 2])
    assert Seen(uri, plan).children["gamma=1 seed=0"].info.status == "RUNNING"
    record(storage, first, 45.0)
    record(storage, second, 60.0)
    tracker.update(TRIALS, set())
    record(storage, TRIALS[2], 50.0)
    assert tracker.finish({}, {})

    seen = Seen(uri, plan)
    check_finished(seen, "gamma=5 seed=0", tmp_path / "got")
    assert sorted(seen.children) == sorted(trial.name for trial in TRIALS)
    assert {run.info.status for run in seen.children.values()} == {"FINISHED"}
    assert seen.parent.info.status == "FINISHED"
    means = {
        f"gamma {gamma}/test_{key}_mean": value
        for gamma in (1, 5, 10)
        for key, value in (("s2i_r1", 40), ("i2s_r1", 50))
    }
    whole = {"trials": 3, "recorded": 3, "best_r1_sum": 60}
    assert seen.parent.data.metrics == whole | means
    assert seen.parent.data.tags["vfsel.best"] == "gamma=5"
    note = seen.parent.data.tags["mlflow.note.content"]
    assert note.startswith("**Which γ?** Best by the selection metric: **gamma=5** (R@1 ")
    assert "| **gamma=5** | 1 of 1 | 40.0 | 50.0 |" in note
    child = seen.children["gamma=5 seed=0"].data.tags
    assert (child["cell"], child["seed"]) == ("gamma=5", "0")
    page = f"#/experiments/{seen.parent.info.experiment_id}/runs/{seen.parent.info.run_id}"
    assert f"**gamma=5 seed=0** of [Which γ?]({page})" in child["mlflow.note.content"]
    fields = {key: str(value) for key, value in second.experiment.flat().items()}
    assert seen.children["gamma=5 seed=0"].data.params == fields


def test_repeated(uri: str, storage: Storage, plan: PlanInfo) -> None:
    for trial in TRIALS:
        record(storage, trial)
    assert track(uri, storage, plan)
    before = Seen(uri, plan).everything()
    assert track(uri, storage, plan)
    assert Seen(uri, plan).everything() == before


def test_continued(uri: str, storage: Storage, plan: PlanInfo, tmp_path: Path) -> None:
    """A command that was killed left a run RUNNING; the next goes on with it."""
    first, second, third = TRIALS
    lost = Tracker(uri=uri, storage=storage, plan=plan)
    for trial in (first, second):
        storage.write_reports(trial.id, reports(2))
    lost.start(TRIALS)
    lost.update(TRIALS, {first.id, second.id})
    wait_for(lambda: len(Seen(uri, plan).children) == 2, seconds=60)
    wait_for(lambda: Seen(uri, plan).steps("gamma=5 seed=0", "epoch") == [1, 2])
    ids = {name: run.info.run_id for name, run in Seen(uri, plan).children.items()}

    record(storage, first)
    assert track(uri, storage, plan)
    seen = Seen(uri, plan)
    check_finished(seen, "gamma=1 seed=0", tmp_path / "got")
    assert {name: run.info.run_id for name, run in seen.children.items()} == ids
    assert seen.children["gamma=5 seed=0"].info.status == "KILLED"
    assert third.name not in seen.children, "it never began"
    assert seen.parent.info.status == "KILLED"


def test_failed_then_finished(uri: str, storage: Storage, plan: PlanInfo, tmp_path: Path) -> None:
    first, second, _ = TRIALS
    storage.write_reports(first.id, reports(1))
    tracker = Tracker(uri=uri, storage=storage, plan=plan)
    tracker.start(TRIALS[:2])
    reason = "the loss must be finite, but is nan at epoch 2, batch 7"
    assert tracker.finish({first.id: "FAILED", second.id: "FAILED"}, {first.id: reason})
    seen = Seen(uri, plan)
    failed = seen.children["gamma=1 seed=0"]
    assert (failed.info.status, failed.data.tags["reason"]) == ("FAILED", reason)
    assert seen.steps("gamma=1 seed=0", "loss") == [1]
    assert seen.children["gamma=5 seed=0"].info.status == "FAILED"
    assert seen.parent.info.status == "FAILED"

    again = Tracker(uri=uri, storage=storage, plan=plan)
    again.start(TRIALS[:2])
    again.update(TRIALS[:2], {first.id})
    wait_for(lambda: Seen(uri, plan).children["gamma=1 seed=0"].info.status == "RUNNING")
    wait_for(lambda: Seen(uri, plan).parent.info.status == "RUNNING")
    assert "reason" not in Seen(uri, plan).children["gamma=1 seed=0"].data.tags
    record(storage, first)
    record(storage, second)
    assert again.finish({}, {})
    seen = Seen(uri, plan)
    check_finished(seen, "gamma=1 seed=0", tmp_path / "got")
    assert seen.parent.info.status == "FINISHED"
    assert "reason" not in seen.children["gamma=5 seed=0"].data.tags


def test_shared(uri: str, storage: Storage, plan: PlanInfo) -> None:
    """Another plan of the same sweep with the same trial has its own parent and child."""
    other = PlanInfo(plan.sweep, plan.question, "other-plan", BASE, "synth", "d" * 64)
    record(storage, TRIALS[0])
    assert track(uri, storage, plan, trials=TRIALS[:1])
    assert track(uri, storage, other, trials=TRIALS[:1])
    one, two = Seen(uri, plan), Seen(uri, other)
    assert one.parent.info.run_id != two.parent.info.run_id
    assert one.steps("gamma=1 seed=0", "epoch") == two.steps("gamma=1 seed=0", "epoch")


def test_no_selection(uri: str, storage: Storage, plan: PlanInfo) -> None:
    """With selection=last there is nothing to be best at."""
    trial = Trial(BASE.replace(selection="last"), {})
    record(storage, trial)
    found = storage.record(trial.id)
    assert found is not None
    found["selection"]["value"] = None
    for report in found["reports"]:
        report["metrics"] = {}
    storage.write_record(found, {})
    assert track(uri, storage, plan, trials=[trial])
    seen = Seen(uri, plan)
    means = {"base/test_s2i_r1_mean": 40, "base/test_i2s_r1_mean": 50}
    assert seen.parent.data.metrics == {"trials": 1, "recorded": 1} | means
    assert seen.children["seed=0"].data.metrics["test_i2s_r1"] == 50


def test_no_longer_wanted(uri: str, storage: Storage, plan: PlanInfo) -> None:
    """A killed command left a run RUNNING; the next, with fewer seeds, does not want its trial."""
    lost = Tracker(uri=uri, storage=storage, plan=plan)
    lost.start(TRIALS)
    lost.update(TRIALS, {TRIALS[0].id})
    wait_for(lambda: "gamma=1 seed=0" in Seen(uri, plan).children)
    record(storage, TRIALS[1])
    assert track(uri, storage, plan, trials=TRIALS[1:2])
    seen = Seen(uri, plan)
    assert seen.children["gamma=1 seed=0"].info.status == "KILLED"
    assert seen.parent.info.status == "FINISHED"


def test_interrupted_between_stages(uri: str, storage: Storage, plan: PlanInfo) -> None:
    """All that is planned so far is recorded, and yet the plan has not ended."""
    tracker = Tracker(uri=uri, storage=storage, plan=plan)
    tracker.start(TRIALS[:1])
    record(storage, TRIALS[0])
    assert tracker.finish({}, {}, parent="KILLED")
    assert Seen(uri, plan).parent.info.status == "KILLED"
    assert track(uri, storage, plan, trials=TRIALS[:1])
    assert Seen(uri, plan).parent.info.status == "FINISHED"


def test_search(uri: str, storage: Storage, plan: PlanInfo) -> None:
    """Its trials end without a record: complete, stopped early, failed; each shown as it ended."""
    for trial, count in zip(TRIALS, (4, 1, 2), strict=True):
        storage.write_reports(trial.id, reports(count))
    complete, stopped, failed = (trial.id for trial in TRIALS)
    ended = {complete: Ended("FINISHED", 60.0), stopped: Ended("KILLED", 15.0)}
    tracker = Tracker(uri=uri, storage=storage, plan=plan)
    tracker.start([])
    tracker.update(TRIALS, {failed}, ended)
    wait_for(lambda: len(Seen(uri, plan).children) == 3)
    tracker.update(TRIALS, set(), ended | {failed: Ended("FAILED", reason="the loss is nan")})
    assert tracker.finish({}, {})
    seen = Seen(uri, plan)
    states = {name: child.info.status for name, child in seen.children.items()}
    assert states == {
        "gamma=1 seed=0": "FINISHED", "gamma=5 seed=0": "KILLED", "gamma=10 seed=0": "FAILED",
    }  # fmt: skip
    assert seen.children["gamma=10 seed=0"].data.tags["reason"] == "the loss is nan"
    assert seen.steps("gamma=1 seed=0", "s2i_r1") == [1, 2, 3, 4]
    assert seen.steps("gamma=5 seed=0", "s2i_r1") == [1]
    assert seen.parent.info.status == "FINISHED"
    assert seen.parent.data.metrics["best_r1_sum"] == 60.0
    assert seen.parent.data.tags["vfsel.best"] == "gamma=1"


def test_long_trial(uri: str, storage: Storage, plan: PlanInfo, monkeypatch: Any) -> None:
    """More than MLflow takes in one batch (1000), and the second batch does not arrive."""
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

    sent, log_batch = [0], SqlAlchemyStore.log_batch

    def once(self: Any, *args: Any, **kwargs: Any) -> None:
        if max(sent) > 2:  # the parent's summary has two
            raise OSError("disk full")
        log_batch(self, *args, **kwargs)
        sent.append(len(kwargs["metrics"]))

    storage.write_reports(TRIALS[0].id, reports(300))
    with monkeypatch.context() as patch:
        patch.setattr(SqlAlchemyStore, "log_batch", once)
        assert not track(uri, storage, plan, trials=TRIALS[:1])
    assert 0 < len(Seen(uri, plan).steps("gamma=1 seed=0", "i2s_r1")) < 300
    assert track(uri, storage, plan, trials=TRIALS[:1])
    for metric in reports(1)[0]["metrics"]:
        assert Seen(uri, plan).steps("gamma=1 seed=0", metric) == list(range(1, 301))


def test_deleted_experiment(uri: str, storage: Storage, plan: PlanInfo) -> None:
    record(storage, TRIALS[0])
    assert track(uri, storage, plan, trials=TRIALS[:1])
    seen = Seen(uri, plan)
    seen.client.delete_experiment(seen.parent.info.experiment_id)
    assert track(uri, storage, plan, trials=TRIALS[:1])
    assert len(Seen(uri, plan).children) == 1


def test_lost_answer(uri: str, storage: Storage, plan: PlanInfo) -> None:
    """A run that was created twice, because the first answer came too late, stands there once."""
    record(storage, TRIALS[0])
    assert track(uri, storage, plan, trials=TRIALS[:1])
    seen = Seen(uri, plan)
    (child,) = seen.children.values()
    seen.client.create_run(child.info.experiment_id, tags=child.data.tags)
    assert track(uri, storage, plan, trials=TRIALS[:1])
    (kept,) = Seen(uri, plan).children.values()
    assert kept.info.run_id == child.info.run_id


def _artifacts(seen: Seen, name: str) -> list[str]:
    run_id = seen.children[name].info.run_id
    return sorted(item.path for item in seen.client.list_artifacts(run_id, "pictures"))


def test_pictures_are_shipped_at_the_end_once(uri: str, storage: Storage, plan: PlanInfo) -> None:
    trial, name = TRIALS[0], "gamma=1 seed=0"
    for each in TRIALS:
        record(storage, each)
    assert track(uri, storage, plan)
    assert _artifacts(Seen(uri, plan), name) == []
    files.write_atomic(f"{storage.pictures_url(trial.id)}/gradcam.png", b"drawn")
    assert track(uri, storage, plan)
    seen = Seen(uri, plan)
    assert _artifacts(seen, name) == ["pictures/gradcam.png"]
    assert _artifacts(seen, "gamma=5 seed=0") == []
    files.write_atomic(f"{storage.pictures_url(trial.id)}/learning.png", b"drawn later")
    before = seen.everything()
    assert track(uri, storage, plan)
    assert Seen(uri, plan).everything() == before
    assert _artifacts(Seen(uri, plan), name) == ["pictures/gradcam.png"]


def test_explain_logs_to_every_run_of_a_trial(uri: str, storage: Storage, plan: PlanInfo) -> None:
    trial = TRIALS[1]
    assert "has no run of 0123456789ab" in log(tracking_uri.parse(uri), "0123456789ab", {})
    record(storage, trial)
    assert track(uri, storage, plan, trials=[trial])
    said = log(tracking_uri.parse(uri), trial.id, {"learning.png": b"drawn"})
    assert said.startswith(f"MLflow at {uri}: pictures of {trial.id} in ")
    assert _artifacts(Seen(uri, plan), "gamma=5 seed=0") == ["pictures/learning.png"]
