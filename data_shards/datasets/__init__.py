"""Data sets: one file each, found by its name, with a function `read(...) -> Source`."""

from collections.abc import Callable
from importlib import import_module
from pathlib import Path

from data_shards.datasets.base import Source
from data_shards.errors import unknown

_SHARED = {"__init__", "base", "cutting", "lists", "text_c10"}


def names() -> list[str]:
    """Names of all data sets."""
    return sorted({file.stem for file in Path(__file__).parent.glob("*.py")} - _SHARED)


def reader(name: str) -> Callable[..., Source]:
    """The function `read` of a data set.

    Raises:
        UsageError: no such data set.
    """
    if name not in names():
        raise unknown("data set", name, names())
    read: Callable[..., Source] = import_module(f"data_shards.datasets.{name}").read
    return read
