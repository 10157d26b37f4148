"""What kills leave in a storage, and disks that cannot be written."""

import os
import subprocess
import time

import pytest

from orchestrator import lock
from orchestrator.doctor.check import Asked
from orchestrator.doctor.results import checks
from orchestrator.storage import Storage
from tests.orchestrator.tracked import TRIALS, record
from tests.small_disk import small_disk


@pytest.fixture
def storage(tmp_path):
    storage = Storage(str(tmp_path / "runs"))
    record(storage, TRIALS[0])
    return storage


def found(storage, *, fix=False):
    asked = Asked(storage=storage, tracking_uri="sqlite:///m.db", fix=fix)
    return [(check.level, check.text) for check in checks(asked)]


def test_nothing_is_wrong(storage):
    assert [level for level, _ in found(storage)] == ["ok"]


def test_a_new_storage_is_not_made(tmp_path):
    assert [level for level, _ in found(Storage(str(tmp_path / "new" / "runs")))] == ["ok"]
    assert not list(tmp_path.iterdir())


def test_a_read_only_disk(tmp_path):
    with small_disk(tmp_path / "disk", kilobytes=1000) as disk:
        subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
        ((level, text),) = found(Storage(str(disk)))
    assert level == "error"
    assert "Read-only" in text


def test_half_written_files_of_yesterday(storage, tmp_path):
    old, new = (
        tmp_path / "runs" / "records" / f".x.json.{end}" for end in ("abcd1234", "wxyz5678")
    )
    for path in (old, new):
        path.write_text("{")
    os.utime(old, (time.time() - 90_000,) * 2)
    assert ("warning", "1 half-written files, such as .x.json.abcd1234") in found(storage)
    assert old.exists()
    assert any("removed: 1 half-written" in text for _, text in found(storage, fix=True))
    assert (old.exists(), new.exists()) == (False, True)


def test_checkpoints_of_a_finished_trial(storage, tmp_path):
    folder = tmp_path / "runs" / "checkpoints"
    for trial in TRIALS[:2]:
        (folder / trial.id).mkdir(parents=True)
    assert any("checkpoints of 1 finished" in text for _, text in found(storage))
    found(storage, fix=True)
    assert [path.name for path in folder.iterdir()] == [TRIALS[1].id]


def test_a_damaged_record(storage, tmp_path):
    path = tmp_path / "runs" / "records" / f"{TRIALS[0].id}.json"
    path.write_text(path.read_text()[:50])
    assert any(level == "warning" and "is damaged" in text for level, text in found(storage))


def test_failed_trials_are_counted_by_kind(storage):
    storage.write_failure(TRIALS[1].id, {"kind": "out of memory", "reason": "x", "time": 1.0})
    storage.write_failure(TRIALS[0].id, {"kind": "error", "reason": "it has a record", "time": 1.0})
    assert ("warning", "the last try of 1 trials failed: 1 out of memory") in found(storage)


def test_nothing_is_touched_while_a_command_is_at_work(storage, tmp_path):
    (tmp_path / "runs" / "checkpoints" / TRIALS[0].id).mkdir(parents=True)
    with lock.held(storage, command="sweep gamma"):
        texts = found(storage, fix=True)
    assert [level for level, _ in texts] == ["ok", "warning"]
    assert "`sweep gamma`" in texts[1][1]
    assert storage.checkpoint_ids() == {TRIALS[0].id}
