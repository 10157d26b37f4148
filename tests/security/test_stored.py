"""Stored files that want to do harm: wrong fields, programs, bombs; and calls that run them."""

import base64
import io
import json
import pickle
import re
import zipfile
from pathlib import Path

import numpy as np
import pytest

from data_shards.errors import DataError
from orchestrator.storage import Storage
from tests.security.test_outside import one_line
from trainables import weights

PACKAGES = ("orchestrator", "search_spaces", "trainables", "data_shards")


RIGHT = {"schema": 1, "trial_id": "a", "selection": {"value": 1.0}}


@pytest.mark.parametrize(
    "changed",
    [
        {"selection": []}, {"selection": {"value": "1"}}, {"selection": {}}, {"reports": {}},
        {"reports": [{"epoch": "1"}]}, {"test": {"s2i_r1": "<b>"}}, {"dropped": {"train": None}},
        {"environment": 3}, {"seconds": True}, {"dataset": 1}, {"experiment": {"data": 1}},
    ],
)  # fmt: skip
def test_a_record_with_fields_of_other_types(tmp_path, changed):
    path = tmp_path / "records" / "a.json"
    path.parent.mkdir()
    path.write_text(json.dumps(RIGHT | changed))
    with pytest.raises(DataError) as error:
        Storage(str(tmp_path)).record("a")
    one_line(error)


class _Harm:
    """Unpickled, it leaves a file."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


def _queries(tmp_path, content):
    path = tmp_path / "queries" / "a.npz"
    path.parent.mkdir()
    path.write_bytes(content)
    with pytest.raises(DataError, match="is damaged") as error:
        Storage(str(tmp_path)).queries("a")
    one_line(error)


def test_arrays_are_never_unpickled(tmp_path):
    buffer = io.BytesIO()
    np.savez(buffer, ranks=np.array([_Harm(tmp_path / "ran")], dtype=object))
    _queries(tmp_path, buffer.getvalue())
    assert not (tmp_path / "ran").exists()


def test_arrays_that_unpack_to_terabytes(tmp_path):
    buffer = io.BytesIO()
    with (
        zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("ranks.npy", "w") as stream,
    ):
        for _ in range(1100):
            stream.write(bytes(2**20))
    _queries(tmp_path, buffer.getvalue())


def test_found_by_fuzzing_an_archive_of_another_version(tmp_path):
    _queries(tmp_path, base64.b64decode(
        "UEsDBC0AAAAIAAAAIQD3QBLq//////////+YF59flJIKEndLzClOBYoXZyQWpAL5GsY6mjoKtQoUAC4GRWCE0kwaA"
        "FBQSwEC1vzS////9/8AACEA90AS7kwAAACYAAAACQAAAAAAAAAAAAAAgAEAAAAAcmFua3MubnB5UEsFBgAAAAABAA"
        "EANwAAAIcAAAAAAA=="
    ))  # fmt: skip


def test_weights_that_are_a_program_do_not_run(tmp_path, monkeypatch):
    monkeypatch.setenv(weights.VARIABLE, str(tmp_path))
    (tmp_path / "x.pth").write_bytes(pickle.dumps({"x": _Harm(tmp_path / "ran")}, protocol=2))
    with pytest.raises(DataError, match="the weights must be at") as error:
        weights.load("https://example.org/x.pth", "the weights")
    one_line(error)
    assert not (tmp_path / "ran").exists()


FORBIDDEN = {
    r"torch\.load\((?![^()]*(\([^()]*\)[^()]*)*weights_only=True)": "weights_only=True",
    r"np\.load\((?![^()]*(\([^()]*\)[^()]*)*allow_pickle=False)": "allow_pickle=False",
    r"shell=True|\bos\.system\(|\bos\.popen\(": "a list of arguments",
    r"(?<![\w.])(eval|exec)\(": "ast.literal_eval",
    r"\byaml\.(unsafe_|full_)?load\(|\bpickle\.loads?\(": "yaml.safe_load, JSON",
}


@pytest.mark.parametrize("pattern", FORBIDDEN)
def test_nothing_from_outside_is_run(pattern):
    root = Path(__file__).parents[2]
    paths = [path for package in PACKAGES for path in (root / package).rglob("*.py")]
    found = [f"{path}: {m[0]}" for path in paths for m in re.finditer(pattern, path.read_text())]
    assert not found, f"use {FORBIDDEN[pattern]}"
