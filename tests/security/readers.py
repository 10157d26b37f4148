"""What is fuzzed: whatever bytes a reader gets, only our own errors come out."""

import hashlib
import io
import json
from contextlib import suppress
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from data_shards import manifest, shard_check
from data_shards.errors import DataError
from data_shards.logmel import LogMel
from data_shards.manifest import Data, Manifest, Shard, Split
from data_shards.raw import raw_samples
from data_shards.sound import decode_speech
from data_shards.views import View
from orchestrator.storage import Storage
from tests import made

CLASSES = [manifest.ClassCount(1, "one", 1, 1)]


@cache
def _folder() -> TemporaryDirectory[str]:
    return TemporaryDirectory()


def read_manifest(content: bytes) -> None:
    """A manifest, and its hash."""
    with suppress(DataError):
        assert manifest.parse(content, "here").hash


def read_shard(content: bytes) -> None:
    """A shard whose manifest is signed, and all that is in it."""
    path = Path(_folder().name) / "train-00000.tar"
    path.write_bytes(content)
    shard = Shard(path.name, 1, 1, hashlib.sha256(content).hexdigest())
    about = Manifest("tones", "", {}, {"voices": []}, {"train": Split(CLASSES, [shard])})
    shard_check.check(shard_check.ShardCheck(str(path), shard, {1: "one"}, []))
    with suppress(DataError):
        for raw in raw_samples(Data(str(path.parent), about), shard):
            if not isinstance(raw, str):
                _decode(raw)


def read_member(content: bytes) -> None:
    """The same bytes as each member of a sample: picture, speech, text."""
    whole = made.members("a", 0, 1, captions=1)
    for suffix in whole:
        read_shard(made.tar({"a": whole | {suffix: content}}))


def _decode(raw) -> None:
    with suppress(OSError, ValueError, SyntaxError):  # what its callers count as broken
        View(16)(raw.jpeg)
    for flac in raw.flacs:
        with suppress(ValueError):
            decode_speech(flac, LogMel())


def read_record(content: bytes) -> None:
    """The same bytes as each of the files of a storage."""
    storage, root = Storage(_folder().name), Path(_folder().name)
    for kind in ("records/a.json", "plans/a.json", "reports/a.jsonl", "failures/a.json",
                 "queries/a.npz", "studies/s/study.json", "studies/s/00000.json"):  # fmt: skip
        (root / kind).parent.mkdir(parents=True, exist_ok=True)
        (root / kind).write_bytes(content)
    for read in (
        lambda: storage.score("a"), storage.plans, lambda: storage.reports("a"),
        lambda: storage.failure("a"), lambda: storage.queries("a"), storage.studies,
        lambda: storage.study_trials("s"),
    ):  # fmt: skip
        with suppress(DataError):
            read()


def seeds(reader: str) -> list[bytes]:
    """Right files, from which a fuzzer starts."""
    if reader == "shard":
        return [made.tar({"a": made.members("a", 0, 1, captions=1)})]
    if reader == "member":
        return list(made.members("a", 0, 1, captions=1).values())
    if reader == "record":
        record = {"schema": 1, "trial_id": "a", "selection": {"value": 1.0, "epoch": 1}}
        archive = io.BytesIO()
        np.savez_compressed(archive, ranks=np.arange(3))
        return [json.dumps(record).encode(), archive.getvalue()]
    shard = Shard("train-00000.tar", 1, 1, "0" * 64)
    about = Manifest("tones", "x", {}, {"voices": ["a"]}, {"train": Split(CLASSES, [shard])})
    return [about.to_json().encode()]


READERS = {
    "manifest": read_manifest,
    "shard": read_shard,
    "member": read_member,
    "record": read_record,
}
