"""Published weights: the folder that is named, and whether its files are whole."""

import hashlib
import os
import re
from collections.abc import Iterator
from pathlib import Path

from orchestrator.doctor.check import Asked, Check, error, ok, warning

_VARIABLE = "VFSEL_WEIGHTS"  # as trainables/weights.py, which imports torch
_NAMED = re.compile(r".+-([0-9a-f]{8})\.\w+")  # resnet101-63fe2227.pth: how its SHA-256 begins


def checks(asked: Asked) -> Iterator[Check]:
    """`--weights`, or the environment's folder; without one they are downloaded."""
    folder = asked.weights or os.environ.get(_VARIABLE, "")
    if not folder:
        yield ok("weights", "downloaded at first use, unless --weights names a folder")
    elif not Path(folder).is_dir():
        yield error("weights", f"{folder} is no folder", "make it, and put the weight files there")
    else:
        yield from _files(Path(folder))


def _files(folder: Path) -> Iterator[Check]:
    paths = sorted(path for path in folder.iterdir() if path.is_file())
    cut = [path.name for path in paths if not _is_whole(path)]
    for name in cut:
        yield error("weights", f"{name} is cut short or another file", "copy it again")
    if not paths:
        yield warning("weights", f"{folder} is empty", "put the files there that trials ask for")
    elif not cut:
        yield ok("weights", f"{len(paths)} files in {folder}")


def _is_whole(path: Path) -> bool:
    """By its name, where that says how its hash begins."""
    named = _NAMED.fullmatch(path.name)
    with path.open("rb") as stream:
        return not named or hashlib.file_digest(stream, "sha256").hexdigest().startswith(named[1])
