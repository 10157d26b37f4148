"""The sweep of `make demo`, where nothing is frozen, against its hand-written twin.

The built-in data and the small backbone, trained whole. Two of its trials and six of its ten
epochs on both sides: the same trials, a wave each.
"""

import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.figures import Figure
from benchmarks.real_data import drawings
from benchmarks.rivals import FULL, run

GAMMAS = [5.0, 10.0]
EPOCHS = 10 if FULL else 6


def measure() -> Iterator[Figure]:
    """Whole processes, our cache warm."""
    data = drawings()
    common = ("--attention", "B3", "--image-encoder", "small", "--epochs", EPOCHS, "--gammas")
    with tempfile.TemporaryDirectory() as folder:
        cache = Path(folder)
        cold = run("our_sweep", data, cache, *common, *GAMMAS)
        warm = run("our_sweep", data, cache, *common, *GAMMAS)
        theirs = run("vanilla_sweep", data, cache, *common, *GAMMAS)
    longest = [max(trial["time_total_s"] for trial in one.trials) for one in (theirs, warm)]
    yield Figure(
        what="demo sweep: hand-written twin / ours, cache warm",
        value=theirs.seconds / warm.seconds, at_least=3,
        note=f"{len(GAMMAS)} trials of {EPOCHS} epochs: {theirs.seconds:.0f} s / "
        f"{warm.seconds:.0f} s, cold {cold.seconds:.0f} s; a trial by itself {longest[0]:.0f} s / "
        f"{longest[1]:.0f} s; test R@1 sum theirs {theirs.r1_sum(GAMMAS):.1f}, ours "
        f"{warm.r1_sum(GAMMAS):.1f}, chance 10",
    )  # fmt: skip
