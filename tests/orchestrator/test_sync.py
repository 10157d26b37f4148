"""`sync` from storages made by hand, into real MLflow servers and SQLite files."""

import json
import subprocess
import sys

import pytest

from data_shards import files
from data_shards.errors import DataError, UsageError
from orchestrator.lock import held
from orchestrator.planning import Question
from orchestrator.search.study import COMPLETE, FAIL, PRUNED, Study
from orchestrator.storage import Storage
from orchestrator.sync import Sync
from search_spaces.sweep import load
from tests.empty_mlflow import empty_mlflow
from tests.faults.mlflow_faults import assert_whole, behind_proxy, runs
from tests.orchestrator.command import run
from tests.orchestrator.search.objective import question as search_question
from tests.orchestrator.tracked import record, reports
from trainables.experiment import Experiment

pytestmark = pytest.mark.slow

BASE = Experiment(image_encoder="small", epochs=4, data="d" * 16)
REASON = "the loss must be finite, but is nan at epoch 2, batch 7"


@pytest.fixture
def uri(tmp_path):
    (tmp_path / "mlflow.db").write_bytes(empty_mlflow())
    return f"sqlite:///{tmp_path}/mlflow.db"


@pytest.fixture
def storage(tmp_path):
    """Of six planned trials two are recorded, one failed, one was stopped, two never began."""
    storage = Storage(str(tmp_path / "runs"))
    question = Question(load("gamma"), BASE, 1, "tones")
    storage.write_plan(question.to_dict())
    first, second, third, fourth, *_ = question.plan(storage).trials
    record(storage, first, 40.0)
    record(storage, second, 60.0)
    storage.write_reports(third.id, reports(2))
    storage.write_failure(third.id, {"kind": "not finite", "reason": REASON, "time": 2e9})
    storage.write_reports(fourth.id, reports(3))
    storage.write_failure(fourth.id, {"kind": "error", "reason": "an earlier try", "time": 1.0})
    files.write_atomic(f"{storage.pictures_url(second.id)}/gradcam.png", b"drawn")
    return storage


def states(uri):
    return {each.info.run_name: each.info.status for each in runs(uri)}


def test_into_an_empty_server_and_again(storage, tmp_path):
    with behind_proxy(tmp_path / "server") as (_, proxy):
        (shipped,) = Sync(storage, proxy.uri).run()
        assert shipped.runs == {"FINISHED": 2, "FAILED": 1, "KILLED": 1}
        assert (shipped.sent.epochs, shipped.sent.records, shipped.sent.pictures) == (13, 2, 1)
        assert states(proxy.target) == {
            "gamma=1 seed=0": "FINISHED", "gamma=5 seed=0": "FINISHED", "gamma=10 seed=0": "FAILED",
            "gamma=20 seed=0": "KILLED", "gamma on tones": "KILLED",
        }  # fmt: skip
        (failed,) = [each for each in runs(proxy.target) if each.info.status == "FAILED"]
        assert failed.data.tags["reason"] == REASON
        assert_whole(proxy.target, storage.url, states=("FINISHED", "FAILED", "KILLED"))
        before = proxy.written
        (again,) = Sync(storage, proxy.uri).run()
        assert proxy.written == before
        assert "nothing was missing" in again.text


def test_what_a_killed_command_left_running_gets_its_true_state(storage, uri):
    list(Sync(storage, uri).run())
    from mlflow import MlflowClient

    client = MlflowClient(uri)
    for each in runs(uri):
        client.update_run(each.info.run_id, status="RUNNING")
    before = states(uri)
    assert set(before.values()) == {"RUNNING"}
    (shipped,) = Sync(storage, uri).run()
    assert shipped.runs == {"FINISHED": 2, "FAILED": 1, "KILLED": 1}
    assert states(uri)["gamma on tones"] == "KILLED"


def test_a_search(tmp_path, uri):
    asked, storage = search_question(pruner="none"), Storage(str(tmp_path / "runs"))
    study = Study(asked, storage)
    ends = [COMPLETE, PRUNED, FAIL, ""]
    numbers = [study.ask() for _ in ends]
    for number, state in zip(numbers, ends, strict=True):
        storage.write_reports(study.trial(number).id, reports(2))
        study.report(number, epoch=1, score=10.0 + number)
        if state:
            study.end(number, state, reason=REASON if state == FAIL else "")
    (shipped,) = Sync(storage, uri).run()
    assert shipped.runs == {"FINISHED": 1, "KILLED": 2, "FAILED": 1}
    assert_whole(uri, storage.url, states=("FINISHED", "FAILED", "KILLED"))


def test_all_plans_or_those_of_one_sweep(storage, uri):
    asked = Question(load("loss"), BASE, 1, "tones")
    storage.write_plan(asked.to_dict())
    assert [each.plan.sweep for each in Sync(storage, uri, "loss").run()] == ["loss"]
    assert sorted(each.plan.sweep for each in Sync(storage, uri).run()) == ["gamma", "loss"]
    with pytest.raises(UsageError, match="Did you mean 'loss'"):
        Sync(storage, uri, "los")
    with pytest.raises(UsageError, match="has none of attention_placement"):
        Sync(storage, uri, "attention_placement")


def test_a_damaged_record_holds_up_no_other_plan(storage, uri):
    asked = Question(load("loss"), BASE, 1, "tones")
    storage.write_plan(asked.to_dict())
    damaged, whole = asked.plan(storage).trials[:2]
    record(storage, whole)
    files.write_atomic(files.join(storage.url, "records", f"{damaged.id}.json"), b"{")
    syncing = Sync(storage, uri)
    assert [each.plan.sweep for each in syncing.run()] == ["gamma"]
    (said,) = syncing.errors
    assert "is damaged" in said
    assert whole.name in states(uri), "the damaged one's neighbour is shipped"


def test_a_storage_that_a_sweep_is_using_is_left_alone(storage, uri):
    with held(storage, command="sweep gamma"), pytest.raises(DataError, match="`sweep gamma`"):
        list(Sync(storage, uri).run())
    assert states(uri) == {}


def test_the_command(storage, tmp_path, uri):
    done = run("sync", "gamma", "--tracking-uri", uri, "--json", folder=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    (plan,) = json.loads(done.stdout)["plans"]
    assert plan["runs"] == {"FINISHED": 2, "FAILED": 1, "KILLED": 1}
    assert (plan["sweep"], plan["dataset"], plan["sent"]["records"]) == ("gamma", "tones", 2)
    away = "http://ada:secret@127.0.0.1:9"
    done = run("sync", "--tracking-uri", away, folder=tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    (line,) = done.stderr.splitlines()
    assert line.startswith("error: MLflow at http://127.0.0.1:9 must be reached")
    assert "secret" not in line
    (tmp_path / "empty").mkdir()
    done = run("sync", "--storage", "empty", folder=tmp_path)
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)


def test_it_starts_no_ray_and_no_torch():
    code = "import sys, orchestrator.sync; print({'ray', 'torch'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
