"""Storage: what is written is read back; damage is said, never guessed around."""

import json

import numpy as np
import pytest

from data_shards import files
from data_shards.errors import DataError, UsageError
from orchestrator.storage import Storage
from tests.s3 import at_once
from tests.small_disk import enlarge, small_disk

RECORD = {"trial_id": "abc", "selection": {"value": 61.5}, "test": {"s2i_r1": 30.0}}


@pytest.fixture(params=["path", "s3"])
def storage(request, tmp_path):
    """The same contract on a folder and on S3."""
    if request.param == "path":
        return Storage(str(tmp_path / "runs"))
    return Storage(f"{request.getfixturevalue('bucket')}/runs")


def test_record_and_queries_come_back(storage):
    ranks = np.array([1, 4, 2], dtype=np.int32)
    storage.write_record(RECORD, {"s2i_rank": ranks})
    assert storage.record_ids() == {"abc"}
    assert storage.record("abc") == RECORD | {"schema": 1}
    assert storage.score("abc") == 61.5
    np.testing.assert_array_equal(storage.queries("abc")["s2i_rank"], ranks)


def test_pictures_come_back_by_trial_and_name(storage):
    assert (storage.picture_ids(), storage.pictures("abc")) == (set(), {})
    files.write_atomic(f"{storage.pictures_url('abc')}/gradcam.png", b"drawn")
    assert storage.picture_ids() == {"abc"}
    assert storage.pictures("abc") == {"gradcam.png": b"drawn"}


def test_nothing_is_there_at_first(storage):
    assert storage.record_ids() == set()
    assert storage.record("abc") is None
    assert storage.score("abc") is None
    assert storage.reports("abc") == []
    assert storage.plans() == []


def test_reports_are_replaced_whole(storage):
    storage.write_reports("abc", [{"epoch": 1}])
    storage.write_reports("abc", [{"epoch": 1}, {"epoch": 2}])
    assert storage.reports("abc") == [{"epoch": 1}, {"epoch": 2}]


def test_a_recorded_trials_checkpoints_are_removed(tmp_path):
    storage = Storage(str(tmp_path))
    folder = tmp_path / "checkpoints" / "abc"
    folder.mkdir(parents=True)
    (folder / "last.pt").write_bytes(b"x")
    storage.remove_checkpoints("abc")
    storage.remove_checkpoints("abc")  # nothing is there: nothing happens
    assert storage.checkpoint_ids() == set()


def test_a_plan_keeps_the_most_seeds_that_were_asked(storage):
    plan = {"plan_id": "p", "sweep": "gamma", "base": {}, "seeds": 3, "dataset": "d"}
    storage.write_plan(plan)
    storage.write_plan(plan | {"seeds": 1})
    assert storage.plans() == [plan]


def test_a_record_cut_short_is_said(tmp_path):
    storage = Storage(str(tmp_path))
    storage.write_record(RECORD, {})
    path = tmp_path / "records" / "abc.json"
    path.write_bytes(path.read_bytes()[:20])
    with pytest.raises(DataError, match=r"abc\.json is damaged"):
        storage.record("abc")


def test_a_record_of_another_version_is_said(tmp_path):
    storage = Storage(str(tmp_path))
    storage.write_record(RECORD | {"schema": 99}, {})
    with pytest.raises(DataError, match="no record of abc, version 1"):
        storage.record("abc")


def test_half_written_files_are_not_listed(tmp_path):
    (tmp_path / "records").mkdir()
    (tmp_path / "records" / ".abc.json.tmp12").write_text("{")
    assert Storage(str(tmp_path)).record_ids() == set()


@pytest.mark.parametrize("url", ["/proc/nowhere/runs", "/dev/null/runs"])
def test_storage_that_cannot_be_written(url):
    with pytest.raises(UsageError, match="--storage must be writable"):
        Storage(url).check_writable()


def test_storage_on_s3_is_writable_and_stays_empty(s3, bucket):
    Storage(f"{bucket}/runs").check_writable()
    assert s3.keys(bucket) == []


@pytest.mark.parametrize(
    ("kind", "place", "unset", "said"),
    [
        (UsageError, "s3://no-such-bucket/runs", [], "the bucket of .* must exist"),
        (DataError, "s3://b/runs", ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"], "credentials"),
    ],
)
def test_storage_on_s3_that_cannot_be_written_is_said_at_once(
    s3, monkeypatch, kind, place, unset, said
):
    for name in unset:
        monkeypatch.delenv(name)
    with at_once(), pytest.raises(kind, match=said) as caught:
        Storage(place).check_writable()
    assert "\n" not in str(caught.value)


def test_storage_on_s3_that_denies_access(s3, bucket):
    with s3.refusing(), pytest.raises(DataError, match="access to .* must be allowed"):
        Storage(f"{bucket}/runs").check_writable()


def test_a_record_of_another_process_is_seen_at_once(s3, bucket):
    """Two drivers and many nodes write to one storage; a client must not remember its listing."""
    ours = Storage(f"{bucket}/runs")
    ours.write_record(RECORD, {})
    assert ours.record_ids() == {"abc"}
    content = (ours.record("abc") or {}) | {"trial_id": "def"}
    s3.client.put_object(
        Bucket=bucket.removeprefix("s3://"), Key="runs/records/def.json", Body=json.dumps(content)
    )
    assert ours.record_ids() == {"abc", "def"}
    assert ours.record("def") == content


def test_features_are_shared_where_other_nodes_see_them():
    assert Storage("s3://b/runs").features_url == "s3://b/runs/features"
    assert Storage("runs").features_url == Storage("/a/runs").features_url == ""


def test_storage_on_an_unknown_scheme():
    with pytest.raises(UsageError, match="must be a path or one of"):
        Storage("pipe://cat").check_writable()


def test_a_disk_that_fills_between_queries_and_record_leaves_no_record(tmp_path):
    with small_disk(tmp_path / "runs", kilobytes=100) as disk:
        storage, large = Storage(str(disk)), RECORD | {"environment": {"text": "x" * 200_000}}
        with pytest.raises(OSError, match="the disk is full: '.*/records/abc.json'"):
            storage.write_record(large, {"s2i_rank": np.arange(9)})
        assert storage.record_ids() == set()
        assert [path.name for path in disk.rglob("*") if path.is_file()] == ["abc.npz"]
        enlarge(disk, kilobytes=1000)
        storage.write_record(large, {"s2i_rank": np.arange(9)})
        assert storage.record("abc") == large | {"schema": 1}
