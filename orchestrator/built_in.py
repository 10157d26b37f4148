"""The built-in data set: drawn flowers, spoken, in the working folder."""

import os
from pathlib import Path

from data_shards.datasets import synth
from data_shards.pack import pack

VOICES = 4


def make(
    out: Path, *, seed: int = 0, engine: str = "espeak", workers: int = os.cpu_count() or 1
) -> str:
    """Draw, speak and pack it (about half a minute); returns the manifest's hash."""
    packed = pack(
        synth.read(seed=seed), out, captions=None, voices=VOICES, engine=engine, workers=workers,
        seed=seed,
    )  # fmt: skip
    return packed.hash
