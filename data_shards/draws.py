"""Keyed random draws: every draw names what it is for, so that nothing else can shift it.

A draw depends on (seed, purpose, …) alone: two trials that share a part share its draws, and
neither the number of loader workers nor what ran before in the process changes anything.
"""

import hashlib

import numpy as np


def key(seed: int, *purpose: str | int) -> int:
    """A 63-bit integer from the seed and what the draw is for, e.g. `key(0, "crop", epoch, id)`."""
    text = "\x1f".join(str(part) for part in (seed, *purpose))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1


def rng(seed: int, *purpose: str | int) -> np.random.Generator:
    """A NumPy generator for one purpose."""
    return np.random.Generator(np.random.PCG64(key(seed, *purpose)))
