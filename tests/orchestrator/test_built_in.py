"""The built-in set: on a cluster under the storage, made once; else in the working folder."""

from pathlib import Path

import pytest

from data_shards import files, manifest
from orchestrator import built_in
from tests import made


def _tones(monkeypatch):
    """The tests' own small set in the place of the built-in one; counts how often it is made."""
    calls = []

    def _make(out):
        calls.append(out)
        return made.make(out).manifest.hash

    monkeypatch.setattr(built_in, "make", _make)
    return calls


def test_on_a_cluster_the_built_in_set_is_made_once_under_the_storage(
    tmp_path, bucket, monkeypatch
):
    calls = _tones(monkeypatch)
    monkeypatch.setenv("RAY_ADDRESS", "127.0.0.1:6379")
    monkeypatch.chdir(tmp_path)
    for storage in (f"{bucket}/runs", str(tmp_path / "shared")):
        found = [built_in.ready(storage) for _ in range(2)]
        assert found == [f"{storage}/data/synth"] * 2
        packed = manifest.load(found[0])
        shards = [shard for split in packed.manifest.splits.values() for shard in split.shards]
        assert all(files.read_bytes(packed.shard_url(shard)) for shard in shards)
    assert len(calls) == 2
    assert not any(path.exists() for path in calls)
    assert not (tmp_path / "data").exists()


def test_half_uploaded_it_is_made_again(tmp_path, monkeypatch):
    calls = _tones(monkeypatch)
    monkeypatch.setenv("RAY_ADDRESS", "127.0.0.1:6379")
    write = files.write_atomic

    def _cut(url, content):
        if Path(url).name == manifest.NAME:
            raise OSError("connection lost")
        write(url, content)

    with monkeypatch.context() as broken:
        broken.setattr(files, "write_atomic", _cut)
        with pytest.raises(OSError, match="connection lost"):
            built_in.ready(str(tmp_path))
    assert list((tmp_path / "data" / "synth").glob("*.tar"))
    assert manifest.load(built_in.ready(str(tmp_path))).manifest.dataset == "tones"
    assert len(calls) == 2


def test_without_a_cluster_it_is_in_the_working_folder(tmp_path, monkeypatch):
    _tones(monkeypatch)
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    monkeypatch.chdir(tmp_path)
    assert built_in.ready(str(tmp_path / "runs")) == "data/synth"
    assert (tmp_path / "data" / "synth" / manifest.NAME).exists()
