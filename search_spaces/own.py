"""A sweep of the user's own: a Python file that they name on the command line.

It is their own code, run on their own word. Nothing that lies in a storage is ever loaded so: a
plan there is data, and tells the name of its sweep but not where its file is.
"""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from data_shards.errors import UsageError
from trainables import own, user_code

if TYPE_CHECKING:
    from search_spaces.sweep import Sweep


def is_path(name: str) -> bool:
    """Whether a NAME is that of a file, `my_sweep.py`."""
    return name.endswith(".py")


def load(given: str, *, built_in: list[str]) -> "Sweep":
    """The sweep that a file defines as SWEEP, named as the file, with its trainable if it has one.

    Raises:
        UsageError: there is none, it has the name of a built-in one, or the code fails.
    """
    from search_spaces.sweep import Sweep  # which finds its own sweeps by this module

    path = Path(given)
    check_name(path.stem, built_in=built_in)
    module = user_code.run(user_code.read(path), name=f"own_sweep_{path.stem}", shown=given)
    found = getattr(module, "SWEEP", None)
    if not isinstance(found, Sweep):
        raise UsageError(
            f"{given} must define SWEEP = Sweep(...), but does not: see `python -m orchestrator "
            "new sweep`."
        )
    code = own.read(path.parent / found.trainable) if found.trainable else None
    return replace(found, name=path.stem, file=given, code=code)


def check_name(name: str, *, built_in: list[str]) -> None:
    """Whether a sweep of one's own can be called so.

    Raises:
        UsageError: a built-in one has this name, and its results would be mixed with it.
    """
    if name in built_in:
        raise UsageError(
            f"a sweep of your own must not be called as a built-in one, but got {name}: rename it."
        )
