"""Columns are made once, shared by URI, and never wrong for it."""

import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from data_shards import columns_kept, feature_store, files, progress
from data_shards.errors import DataError
from data_shards.feature_store import Store
from data_shards.features import derive_images, derive_speech
from data_shards.logmel import LogMel
from data_shards.views import View
from tests import made
from tests.small_disk import enlarge, small_disk


@pytest.fixture(scope="module")
def packed(tmp_path_factory):
    return made.make(tmp_path_factory.mktemp("data") / "tones")


@pytest.fixture
def at_once(monkeypatch):
    """Columns may be evicted as soon as they are made."""
    monkeypatch.setattr(columns_kept, "IN_USE_SECONDS", 0.0)


def _once(folder, write, *, shared="", limit=0):
    store = Store(folder.parent, shared=shared, limit=limit)
    return store.once(folder.name, lambda target, advance: write(target), samples=1)


def _write(target):
    (target / "values.npy").write_bytes(b"values")
    (target / "index.json").write_text("{}")


def _never(target):
    raise AssertionError("it is there")


def _content(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.fixture
def shared(bucket, tmp_path):
    """A column `c` that node a has made and shared."""
    url = f"{bucket}/runs/features"
    _once(tmp_path / "a" / "c", _write, shared=url)
    return url


def test_a_column_is_written_once(tmp_path):
    _once(tmp_path / "c", _write)
    _once(tmp_path / "c", _never)
    assert _content(tmp_path / "c") == {"values.npy": b"values", "index.json": b"{}"}


def test_another_node_gets_a_shared_column(shared, tmp_path):
    _once(tmp_path / "b" / "c", _never, shared=shared)
    assert _content(tmp_path / "b" / "c") == _content(tmp_path / "a" / "c")


def test_derived_columns_are_shared_without_reading_a_shard(s3, bucket, packed, tmp_path):
    s3.upload(Path(packed.folder), f"{bucket}/tones")
    columns = []
    for node in ("a", "b"):
        data = made.load(f"{bucket}/tones").cached(tmp_path / node)
        store = Store(tmp_path / node, shared=f"{bucket}/features")
        options = {"store": store, "max_broken": 0.0}
        images = derive_images(
            data, "val", key="pixels", view=View(32), transform=lambda pixels: pixels, **options
        )
        columns.append((images, derive_speech(data, "val", front=LogMel(), **options)))
    first, second = columns
    np.testing.assert_array_equal(first[0].values, second[0].values)
    np.testing.assert_array_equal(first[1].frames_TF, second[1].frames_TF)
    assert first[0].ids == second[0].ids
    assert (tmp_path / "a" / "shards").exists()
    assert not (tmp_path / "b" / "shards").exists()
    assert s3.requests("GET", f"{bucket.removeprefix('s3:/')}/tones/val-00000.tar") == 1


def test_the_index_is_written_last(s3, bucket, tmp_path, forwarder, capsys, monkeypatch):
    """A node that dies while it shares leaves no index, and the next one shares it whole."""
    monkeypatch.setattr(files.remote, "RETRY_SECONDS", 0.5)
    whole = feature_store.files.upload

    def die_after_one(source, url):
        whole(source, url)
        forwarder.stop()

    monkeypatch.setattr(feature_store.files, "upload", die_after_one)
    _once(tmp_path / "a" / "c", _write, shared=f"{bucket}/features")
    assert "features are not shared" in capsys.readouterr().err
    assert len(s3.keys(bucket)) == 1
    monkeypatch.setattr(feature_store.files, "upload", whole)
    forwarder.start()
    _once(tmp_path / "b" / "c", _write, shared=f"{bucket}/features")
    assert len(s3.keys(bucket)) == 3


def _damage(shared, change):
    """Change the shared file `values.npy`, or the index."""
    url = f"{shared}/c/files.json"
    index = json.loads(files.read_bytes(url))
    change(f"{shared}/c", index)


def _other_bytes(url, index):
    files.write_atomic(f"{url}/{index['files']['values.npy']}", b"valuet")


def _gone(url, index):
    files.remove(f"{url}/{index['files']['values.npy']}")


def _leads_out(url, index):
    index["files"]["../../x.npy"] = index["files"]["values.npy"]
    files.write_atomic(f"{url}/files.json", json.dumps(index).encode())


def _no_index(url, index):
    files.write_atomic(f"{url}/files.json", b"[")


@pytest.mark.parametrize("change", [_other_bytes, _gone, _leads_out, _no_index])
def test_a_damaged_shared_column_is_derived_and_shared_again(shared, tmp_path, capsys, change):
    _damage(shared, change)
    _once(tmp_path / "b" / "c", _write, shared=shared)
    warning = capsys.readouterr().err
    assert len(warning.splitlines()) == 1
    assert "shared features are derived here instead" in warning
    assert _content(tmp_path / "b" / "c") == _content(tmp_path / "a" / "c")
    assert sorted(path.name for path in tmp_path.rglob("x.npy")) == []
    _once(tmp_path / "c" / "c", _never, shared=shared)


def test_two_nodes_whose_results_differ_do_not_mix(bucket, tmp_path):
    """On other hardware the last bits differ: what is fetched is one node's or the other's."""
    together = threading.Barrier(2)

    def write(node):
        def write_as(target):
            (target / "values.npy").write_text(node)
            (target / "index.json").write_text(json.dumps(node))
            together.wait(timeout=30)

        _once(tmp_path / node / "c", write_as, shared=f"{bucket}/features")

    nodes = [threading.Thread(target=write, args=(node,)) for node in ("a", "b")]
    for node in nodes:
        node.start()
    for node in nodes:
        node.join()
    _once(tmp_path / "n" / "c", _never, shared=f"{bucket}/features")
    found = _content(tmp_path / "n" / "c")
    assert json.loads(found["index.json"]) == found["values.npy"].decode()


def test_where_sharing_is_denied_training_goes_on_with_a_warning(s3, bucket, tmp_path, capsys):
    with s3.refusing():
        _once(tmp_path / "a" / "c", _write, shared=f"{bucket}/features")
    warnings = capsys.readouterr().err.splitlines()
    assert [line.split(":")[0] for line in warnings] == ["warning"] * 2  # fetched, shared
    assert "access to s3://" in warnings[1]
    assert _content(tmp_path / "a" / "c")


def test_a_full_disk_is_said_and_the_same_call_goes_on(packed, tmp_path):
    def derive(cache):
        return derive_images(
            packed, "train", key="pixels", view=View(64), transform=lambda pixels: pixels,
            store=Store(cache), max_broken=0.0,
        )  # fmt: skip

    with small_disk(tmp_path / "disk", kilobytes=600) as disk:
        with pytest.raises(DataError, match="must have room for derived features") as caught:
            derive(disk)
        assert "\n" not in str(caught.value)
        assert [path for path in disk.iterdir() if path.is_dir()] == []
        enlarge(disk, kilobytes=5000)
        assert len(derive(disk).ids) == 60


_FILL = """
import sys
from pathlib import Path
import torch
from data_shards import features
features._allocate(Path(sys.argv[1]), 60, torch.zeros(1, 3, 64, 64, dtype=torch.uint8))[:] = 1
"""


def test_a_disk_that_fills_up_does_not_kill_the_process(tmp_path):
    """Writing to a mapped file without room is a signal (SIGBUS), which nothing can catch."""
    with small_disk(tmp_path / "disk", kilobytes=400) as disk:
        command = [sys.executable, "-c", _FILL, str(disk)]
        done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 1
    assert "No space left on device" in done.stderr


def test_columns_used_least_recently_make_room(tmp_path, at_once):
    for name in ("a", "b"):
        _once(tmp_path / name, _write, limit=20)
        time.sleep(0.02)  # the clock of the file system
    _once(tmp_path / "a", _never, limit=20)
    time.sleep(0.02)
    _once(tmp_path / "c", _write, limit=20)  # 8 bytes each
    assert sorted(path.name for path in tmp_path.iterdir() if path.is_dir()) == ["a", "c"]


def test_a_column_in_use_stays_whatever_the_limit(tmp_path):
    for name in ("a", "b"):
        _once(tmp_path / name, _write, limit=4)
    assert sorted(path.name for path in tmp_path.iterdir() if path.is_dir()) == ["a", "b"]


def test_fetched_columns_count_too(shared, tmp_path, at_once):
    _once(tmp_path / "b" / "old", _write, limit=10)
    time.sleep(0.02)
    _once(tmp_path / "b" / "c", _never, shared=shared, limit=10)
    assert not (tmp_path / "b" / "old").exists()


def test_a_column_that_is_evicted_while_it_is_shared_costs_a_warning(
    bucket, tmp_path, capsys, monkeypatch, at_once
):
    whole = feature_store.files.upload

    def evict_first(source, url):
        columns_kept.evict(tmp_path / "a", limit=1)
        whole(source, url)

    monkeypatch.setattr(feature_store.files, "upload", evict_first)
    _once(tmp_path / "a" / "c", _write, shared=f"{bucket}/features")
    assert "derived features are not shared" in capsys.readouterr().err


def test_what_a_killed_writer_left_goes_after_a_day(tmp_path):
    long_ago = time.time() - 2 * columns_kept.ABANDONED_SECONDS
    (tmp_path / ".half-a").mkdir()
    (tmp_path / "a.progress").write_text("3/7")
    for name in (".half-a", "a.progress"):
        os.utime(tmp_path / name, (long_ago, long_ago))
    assert progress.read(tmp_path / "a.progress") == ""  # its writer is silent
    _once(tmp_path / "b", _write)
    assert [path.name for path in tmp_path.iterdir() if "a" in path.name] == []


def test_who_has_an_evicted_column_mapped_reads_on(packed, tmp_path, at_once):
    options = {
        "key": "pixels", "transform": lambda pixels: pixels, "max_broken": 0.0,
        "store": Store(tmp_path, limit=250_000),
    }  # fmt: skip
    first = derive_images(packed, "val", view=View(32), **options)
    before = np.array(first.values)
    (column,) = [path for path in tmp_path.iterdir() if path.is_dir()]
    time.sleep(0.02)
    derive_images(packed, "val", view=View(64), **options)
    (left,) = [path for path in tmp_path.iterdir() if path.is_dir()]
    assert left != column
    np.testing.assert_array_equal(first.values, before)


def test_who_waits_says_how_far_the_writer_is(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(feature_store, "WAIT_SECONDS", 0.05)
    store, begun, end = Store(tmp_path), threading.Event(), threading.Event()

    def write(target, advance):
        advance(3)
        begun.set()
        assert end.wait(timeout=60)
        _write(target)

    writer = threading.Thread(target=store.once, args=("c", write), kwargs={"samples": 7})
    writer.start()
    assert begun.wait(timeout=60)
    waiter = threading.Thread(target=_once, args=(tmp_path / "c", _never))
    waiter.start()
    said = ""
    while "c: another process derives it, 3/7" not in said:
        said += capsys.readouterr().err
        assert waiter.is_alive()
    end.set()
    writer.join()
    waiter.join()
    assert _content(tmp_path / "c") == {"values.npy": b"values", "index.json": b"{}"}
    assert not list(tmp_path.glob("*.progress"))
