"""`--data`: one packed data set, or several of a sweep, as NAME=PLACE each."""

from collections import Counter
from typing import TYPE_CHECKING

import click

from data_shards.errors import UsageError

if TYPE_CHECKING:
    from data_shards.manifest import Data


def place(text: str) -> str:
    """Where the data lie: what stands behind `NAME=`, if a data set's name stands before it."""
    name, equals, behind = text.partition("=")
    return behind if equals and name in _names() else text


def open_all(given: tuple[str, ...]) -> list["Data"]:
    """The packed data sets in the order given; without any the built-in one.

    Raises:
        UsageError: one is not what its name says, or a data set is given twice.
    """
    found = [_opened(text) for text in given] or [open_one(())]
    counts = Counter(data.manifest.dataset for data in found)
    for name, count in counts.items():
        if count > 1:
            raise UsageError(
                f"--data must name each data set once, but got {name} {count} times: ask of each "
                "by a command of its own."
            )
    return found


def open_one(given: tuple[str, ...]) -> "Data":
    """The packed data of a command that takes only one; the built-in set, made at its first use.

    Raises:
        UsageError: more than one was given.
    """
    if len(given) > 1:
        raise UsageError(f"this takes one data set, but got --data {len(given)} times.")
    if given:
        return _opened(given[0])
    from orchestrator import built_in

    return _opened(built_in.ready(click.get_current_context().params["storage"]))


def _opened(text: str) -> "Data":
    from data_shards import files, manifest
    from data_shards.cache_folder import shard_limit

    shard_limit()  # of this node at least: a wrong one is said before any trial starts
    found = manifest.load(place(text))
    name = text.partition("=")[0]
    if place(text) != text and name != found.manifest.dataset:
        raise UsageError(
            f"--data {name}=… must be a packed {name}, but {files.shown(place(text))} holds "
            f"{found.manifest.dataset}."
        )
    return found


def _names() -> list[str]:
    from data_shards import datasets

    return datasets.names()
