"""About 1,000 real photographs with spoken captions, packed once; else the built-in drawings."""

import os
import subprocess
import sys
from pathlib import Path

from data_shards import manifest
from data_shards.manifest import Data
from orchestrator import built_in

LIMITS = ["--images-per-class", "10", "--captions", "3", "--voices", "4"]


def flowers_or_drawings() -> Data:
    """Of each of Oxford-102's classes 10 images (720 train, 100 val, 200 test), if its official
    files are where VFSEL_OXFORD102 says."""
    root = os.environ.get("VFSEL_OXFORD102")
    if not root:
        return drawings()
    out = _folder() / "flowers"
    if not (out / manifest.NAME).exists():
        command = [sys.executable, "-m", "orchestrator", "data", "pack", "oxford102"]
        options = ["--root", root, "--out", str(out), *LIMITS]
        subprocess.run([*command, *options], check=True, stdout=sys.stderr)
    return manifest.load(out)


def drawings() -> Data:
    """The built-in set."""
    out = _folder() / "drawings"
    if not (out / manifest.NAME).exists():
        built_in.make(out)
    return manifest.load(out)


def _folder() -> Path:
    return Path(os.environ.get("VFSEL_BENCH", "~/.cache/vfsel-bench")).expanduser()
