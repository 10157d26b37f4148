"""Stored JSON files come from outside: their size, and the fields that the program reads."""

import io
import struct
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from types import UnionType
from typing import Any

import numpy as np

from data_shards import files, outside
from data_shards.errors import DataError

Shape = Any
"""A type; {field: shape} for a dict; [shape] for a list; {type: shape} for a dict of any names."""

LARGEST = 64 * 2**20  # bytes of a file
MOST_UNPACKED = 2**30  # bytes of all arrays of a file
_UNREADABLE = (
    ValueError, OSError, EOFError, KeyError, zipfile.BadZipFile, zlib.error, MemoryError,
    RuntimeError,  # encrypted, or NotImplementedError: packed in another way
    struct.error,
)  # fmt: skip
MENDS = "the same `sweep` command sets it aside and goes on."

NUMBER = int | float
REPORT = {"epoch": int, "loss": NUMBER, "metrics": {str: NUMBER}, "time": NUMBER}
RECORD = {
    "dataset": str,
    "experiment": {"data": str},
    "selection": {"split": str, "epoch": int, "value": NUMBER | None},
    "test": {str: NUMBER},
    "dropped": {str: int},
    "reports": [REPORT],
    "environment": {"device": str},
    "seconds": NUMBER,
}
TUNED = {
    "points": {str: dict}, "studies": {str: str}, "trials": int, "sampler": str, "pruner": str,
    "min_epochs": int | None,
}  # fmt: skip
PLAN = {
    "plan_id": str, "sweep": str, "base": dict, "seeds": int, "dataset": str, "facts": dict,
    "tuned": TUNED,
}  # fmt: skip
STUDY = {"sweep": str, "base": dict, "space": dict, "dataset": str, "name": str, "min_epochs": int}
FAILURE = {"kind": str, "reason": str, "time": NUMBER}
TRIAL = {"number": int, "values": {str: NUMBER}}


def read(url: str) -> bytes | None:
    """A file's content, or None if there is none.

    Raises:
        DataError: it is larger than any of ours.
    """
    return files.read_bytes(url, limit=LARGEST)


def parse(
    content: bytes,
    url: str,
    shape: Mapping[Any, Shape] | None = None,
    *,
    needs: Sequence[str] = (),
) -> dict[str, Any]:
    """The value of a file, or of one of its lines; `url` is for messages.

    Raises:
        DataError: it is no JSON, a field that it needs is missing, or one has another type than in
            `shape`.
    """
    try:
        value: dict[str, Any] = outside.json_value(content, finite=False)
        check(value, shape or {})
        if missing := [name for name in needs if name not in value]:
            raise ValueError(f"{missing[0]} is missing")
    except ValueError as error:
        raise DataError(f"{files.shown(url)} is damaged ({error}): {MENDS}") from error
    return value


def arrays(content: bytes, url: str) -> dict[str, np.ndarray[Any, Any]]:
    """The arrays of a compressed file, none of which is unpickled; `url` is for messages.

    Raises:
        DataError: it is damaged, or would unpack to more than any of ours.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            if sum(part.file_size for part in archive.infolist()) > MOST_UNPACKED:
                raise ValueError(f"it unpacks to more than {MOST_UNPACKED} bytes")
        with np.load(io.BytesIO(content), allow_pickle=False) as found:
            return dict(found)
    except _UNREADABLE as error:
        raise DataError(
            f"{files.shown(url)} is damaged ({error}): delete it, and the same `sweep` command "
            "runs its trial again."
        ) from error


def check(value: Any, shape: Shape, where: str = "it") -> None:
    """Compare a value with a shape. Fields may be missing, and there may be others.

    Raises:
        ValueError: a field is of another type.
    """
    if isinstance(shape, type | UnionType):
        if not isinstance(value, shape) or (isinstance(value, bool) and shape is not bool):
            raise ValueError(f"{where} must be {_named(shape)}, but is {outside.shown(value)}")
    elif isinstance(shape, list):
        for number, item in enumerate(outside.typed(where, value, list)):
            check(item, shape[0], f"{where}[{number}]")
    else:
        _check_fields(outside.typed(where, value, dict), shape, where)


def _check_fields(value: dict[str, Any], shape: Mapping[Any, Shape], where: str) -> None:
    for name, item in value.items():
        if (wanted := shape.get(name, shape.get(str))) is not None:
            check(item, wanted, name if where == "it" else f"{where}.{name}")


def _named(shape: Any) -> str:
    return shape.__name__ if isinstance(shape, type) else str(shape)
