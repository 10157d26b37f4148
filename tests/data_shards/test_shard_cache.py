"""Shards of a remote set: fetched once a node, checked, evicted; a full disk is said."""

import hashlib
import multiprocessing
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from data_shards import files, remote, shard_cache
from data_shards.cache_folder import shard_limit
from data_shards.errors import DataError, UsageError
from data_shards.logmel import LogMel
from data_shards.raw import raw_samples
from data_shards.stream import Broken, streamed_batches
from data_shards.verify import verify
from data_shards.views import View
from tests import made
from tests.small_disk import enlarge, small_disk


@pytest.fixture(scope="module")
def local(tmp_path_factory):
    return made.make(tmp_path_factory.mktemp("data") / "tones")


@pytest.fixture
def data(local, s3, bucket, tmp_path):
    """The same set on S3, to be kept in a fresh folder."""
    s3.upload(Path(local.folder), f"{bucket}/tones")
    return made.load(f"{bucket}/tones").cached(tmp_path / "cache")


def _shards(data, split="train"):
    return data.manifest.splits[split].shards


def _read(data, number=0):
    return shard_cache.content(data, _shards(data)[number])


def _gets(s3, data, number=0):
    """How often the server was asked for a shard."""
    return s3.requests("GET", data.shard_url(_shards(data)[number]).removeprefix("s3:/"))


def _kept(data):
    return sorted(path.stem for path in (data.cache / "shards").glob("*.tar"))


def _batches(data, workers):
    return list(
        streamed_batches(
            data, ["train"], view=View(32), front=LogMel(), seed=0, epoch=1, batch_size=16,
            workers=workers, broken=Broken(0.0, 60),
        )
    )  # fmt: skip


def test_a_shard_is_fetched_once(s3, local, data):
    whole = Path(local.shard_url(_shards(local)[0])).read_bytes()
    assert _read(data) == _read(data) == whole
    assert _gets(s3, data) == 1
    assert _kept(data) == [_shards(data)[0].sha256]


def test_local_data_is_not_copied(local, tmp_path):
    for folder in (local.folder, f"file://{local.folder}"):
        _read(made.load(folder).cached(tmp_path / "cache"))
    assert not (tmp_path / "cache").exists()


def test_without_a_cache_a_remote_shard_is_read_all_the_same(data, tmp_path):
    assert len(list(raw_samples(made.load(data.folder), _shards(data)[0]))) == 10
    assert not (tmp_path / "cache").exists()


def _ask(data, together, answers):
    together.wait(timeout=30)
    answers.put(hashlib.sha256(_read(data)).hexdigest())


def test_four_processes_that_ask_at_once_make_one_download(s3, data):
    forks = multiprocessing.get_context("fork")  # as a loader's processes
    together, answers = forks.Barrier(4), forks.Queue()
    processes = [forks.Process(target=_ask, args=(data, together, answers)) for _ in range(4)]
    for process in processes:
        process.start()
    assert {answers.get(timeout=60) for _ in processes} == {_shards(data)[0].sha256}
    for process in processes:
        process.join(timeout=60)
    assert _gets(s3, data) == 1


@pytest.mark.parametrize("workers", [0, 2])
def test_batches_from_s3_equal_the_local_ones(s3, local, data, workers):
    files.names(data.folder)  # this process has a client before its loaders are forked
    for _ in range(2):
        for left, right in zip(_batches(data, workers), _batches(local, 0), strict=True):
            assert left.image_ids == right.image_ids
            assert torch.equal(left.image, right.image)
            assert torch.equal(left.frames_BTF, right.frames_BTF)
    assert [_gets(s3, data, number) for number in range(6)] == [1] * 6
    assert files.names(data.folder)  # and it still works here


def test_an_object_that_changed_is_said_and_not_kept(data):
    url = data.shard_url(_shards(data)[0])
    content = bytearray(files.read_bytes(url))
    content[1000] ^= 1
    files.write_atomic(url, bytes(content))
    with pytest.raises(DataError, match=r"train-00000\.tar is damaged: .*changed since") as caught:
        _batches(data, workers=0)
    assert "\n" not in str(caught.value)
    assert _shards(data)[0].sha256 not in _kept(data)


def test_an_object_that_is_gone_is_said(data):
    files.remove(data.shard_url(_shards(data)[0]))
    with pytest.raises(DataError, match=r"train-00000\.tar is missing"):
        _batches(data, workers=0)


@pytest.mark.parametrize("damage", [lambda whole: whole[:5000], lambda whole: b"x" + whole[1:]])
def test_a_damaged_kept_shard_is_fetched_again(s3, data, damage):
    whole = _read(data)
    path = data.cache / "shards" / f"{_shards(data)[0].sha256}.tar"
    path.write_bytes(damage(whole))
    assert _read(data) == path.read_bytes() == whole
    assert _gets(s3, data) == 2


def _limit(monkeypatch, size):
    monkeypatch.setenv("VFSEL_CACHE_GB", str(size / 1e9))


def test_the_shard_used_longest_ago_is_evicted_at_the_limit(s3, data, monkeypatch):
    sizes = [len(_read(data.cached(data.cache / "sizes"), number)) for number in range(3)]
    _limit(monkeypatch, sum(sizes) - 1)  # two of three
    for number in (0, 1, 0, 2):
        _read(data, number)
        time.sleep(0.02)
    assert _kept(data) == sorted(_shards(data)[number].sha256 for number in (0, 2))
    assert _read(data, 1) == _read(data.cached(data.cache / "sizes"), 1)


def test_a_shard_larger_than_the_limit_is_read_all_the_same(data, monkeypatch):
    _limit(monkeypatch, 1)
    assert len(_batches(data, workers=2)) == 3
    assert 1 <= len(_kept(data)) <= 2  # of 3; each of two processes may keep its last


def test_what_killed_processes_left_goes_in_time(data, monkeypatch):
    _read(data)
    left = data.cache / "shards" / ".0000.tar.x1y2"
    left.write_bytes(b"half")
    _read(data, 1)
    assert left.exists()  # it may be another process' this moment
    monkeypatch.setattr(shard_cache, "_ABANDONED", 0.0)
    _read(data, 2)
    assert not left.exists()


@pytest.mark.parametrize("text", ["", "many", "0", "-1", "nan", "inf"])
def test_a_limit_that_is_none_is_refused(monkeypatch, text):
    monkeypatch.setenv("VFSEL_CACHE_GB", text)
    with pytest.raises(UsageError, match="VFSEL_CACHE_GB must be a number of gigabytes > 0"):
        shard_limit()


def test_on_a_full_disk_other_shards_make_room(data, tmp_path):
    """Two of the largest fit on the disk, of six shards."""
    largest = max(len(_read(data, number)) for number in range(6))
    kilobytes = 2 * largest // 1024 + 50
    with small_disk(tmp_path / "disk", kilobytes=kilobytes) as disk:
        assert len(_batches(data.cached(disk), workers=0)) == 3
        assert 1 <= len(_kept(data.cached(disk))) < 6


def test_a_full_disk_is_said_and_leaves_nothing(data, tmp_path):
    with small_disk(tmp_path / "disk", kilobytes=400) as disk:
        (disk / "theirs").write_bytes(bytes(300 * 1024))
        full = data.cached(disk)
        with pytest.raises(DataError, match="free some space, or set VFSEL_CACHE") as caught:
            _batches(full, workers=0)
        assert "\n" not in str(caught.value)
        assert _kept(full) == []
        enlarge(disk, kilobytes=100_000)
        assert len(_batches(full, workers=2)) == 3


def test_a_queue_at_a_dead_server_does_not_wait_for_each_other(data, forwarder, monkeypatch):
    """One is waiting for the server in its turn; another fails in twice the time, not later."""
    monkeypatch.setattr(remote, "RETRY_SECONDS", 1.0)
    forwarder.stop()
    folder = data.cache / "shards"
    folder.mkdir(parents=True)
    with shard_cache.FileLock(folder / f".{_shards(data)[0].sha256}.lock"):
        start = time.monotonic()
        with pytest.raises(DataError, match="must be reachable"):
            _read(data)
    assert time.monotonic() - start < 5


def test_remote_data_is_verified_where_it_lies(data, tmp_path):
    kept = made.load(data.folder).cached(tmp_path / "cache")
    _read(kept)
    assert [p for p in verify(kept) if "voice" not in p] == []
    files.write_atomic(data.shard_url(_shards(data)[0]), b"cut")
    files.write_atomic(f"{data.folder}/train-00099.tar", b"")
    problems = "\n".join(verify(kept, workers=2))
    assert "train-00000.tar: SHA-256 must be" in problems  # though the cache has it right
    assert "train-00099.tar is not in the manifest" in problems


def test_data_on_a_web_server_is_streamed(local, tmp_path):
    command = [sys.executable, "-u", "-m", "http.server", "--bind", "127.0.0.1", "0"]
    with subprocess.Popen(
        command, cwd=local.folder, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as server:
        port = server.stdout.readline().split("port ")[1].split()[0]
        data = made.load(f"http://127.0.0.1:{port}").cached(tmp_path / "cache")
        assert len(_batches(data, workers=2)) == 3
        assert len(_kept(data)) == 6
        server.kill()
