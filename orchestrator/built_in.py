"""The built-in data set: drawn flowers, spoken; in the working folder, or beside the results.

On a cluster the working folder is that of one node (of a job even a temporary copy), so the set is
made once under the storage, which every node sees, and used by every later sweep there.
"""

import os
import tempfile
from pathlib import Path

import click

from data_shards import files, manifest
from data_shards.datasets import synth
from data_shards.pack import pack

FOLDER = "data/synth"
VOICES = 4


def ready(storage: str) -> str:
    """Where the set is, made if this is its first use: the working folder, or on a cluster (which
    `RAY_ADDRESS` names, also in a job) the storage."""
    shared = bool(os.environ.get("RAY_ADDRESS"))
    folder = files.join(storage, FOLDER) if shared else FOLDER
    if files.read_bytes(files.join(folder, manifest.NAME)) is None:
        click.echo(f"Making the built-in spoken data set in {files.shown(folder)} …", err=True)
        _make_shared(folder) if shared else make(Path(folder))
    return folder


def _make_shared(folder: str) -> None:
    """Make it here and put it there, the manifest last: two jobs at once put the same bytes."""
    with tempfile.TemporaryDirectory(prefix="vfsel-synth-") as made:
        make(Path(made))
        for name in sorted(files.names(made), key=lambda name: name == manifest.NAME):
            files.write_atomic(files.join(folder, name), (Path(made) / name).read_bytes())


def make(
    out: Path,
    *,
    seed: int = 0,
    engine: str = "espeak",
    voices: int = VOICES,
    workers: int = os.cpu_count() or 1,
) -> str:
    """Draw, speak and pack it (about half a minute); returns the manifest's hash."""
    packed = pack(
        synth.read(seed=seed), out, captions=None, voices=voices, engine=engine, workers=workers,
        seed=seed,
    )  # fmt: skip
    return packed.hash
