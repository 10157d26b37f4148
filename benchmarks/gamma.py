"""Stage 1 of the γ sweep on about 1,000 real flowers: ours, the hand-written sweep, the limit.

Six trials, two at a time, EfficientNet-Lite0 frozen, two epochs; whole processes, from the import
of Ray to MLflow being up to date. Ours runs twice: with an empty cache, and with a warm one. Of the
hand-written sweep two trials run, a wave, and the other waves are counted as long;
`VFSEL_BENCH_FULL=1` runs all six. The limit is what no orchestrator can avoid: the steps of the
speech encoder and of the trained image tail, and an evaluation, each timed alone (`limit.py`). The
hand-written sweep also runs, at B3, with our setting of malloc (`trainables/allocator.py`), which
is not what one would write in an afternoon.
"""

import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks import limit
from benchmarks.figures import Figure
from benchmarks.real_data import flowers_or_drawings
from benchmarks.rivals import CONCURRENT, FULL, run
from data_shards.manifest import Data

GAMMAS = [1.0, 5.0, 10.0, 20.0, 50.0, 100.0]
EPOCHS, MORE_EPOCHS = 2, 20
KEEP_MEMORY = {"MALLOC_TRIM_THRESHOLD_": str(2**31 - 1), "MALLOC_MMAP_MAX_": "0"}
GOALS = {"B3": 3.0, "none": 5.0}


def measure() -> Iterator[Figure]:
    """Speed at both placements, then the limit of each."""
    data = flowers_or_drawings()
    for place, goal in GOALS.items():
        with tempfile.TemporaryDirectory() as cache:
            yield from _placement(data, Path(cache), place, goal)


def _placement(data: Data, cache: Path, place: str, goal: float) -> Iterator[Figure]:
    common = ("--attention", place, "--epochs", EPOCHS, "--gammas")
    cold = run("our_sweep", data, cache, *common, *GAMMAS)
    warm = run("our_sweep", data, cache, *common, *GAMMAS)
    asked = GAMMAS if FULL else GAMMAS[1:3]
    theirs = run("vanilla_sweep", data, cache, *common, *asked)
    seconds = theirs.extrapolated(len(GAMMAS))
    how = "" if FULL else f" (extrapolated from {len(asked)} trials, {theirs.seconds:.0f} s)"
    yield Figure(
        what=f"γ stage 1 at {place}, {data.manifest.dataset}: hand-written sweep / ours, warm",
        value=seconds / warm.seconds, at_least=goal,
        note=f"{seconds:.0f} s{how} / {warm.seconds:.0f} s; cache cold: {cold.seconds:.0f} s, "
        f"{seconds / cold.seconds:.2g} ×",
    )  # fmt: skip
    yield Figure(
        what=f"the same at {place} on {data.manifest.dataset}: test R@1 sum, ours − theirs",
        value=warm.r1_sum(asked) - theirs.r1_sum(asked), unit="points",
        note=f"{warm.r1_sum(asked):.1f} / {theirs.r1_sum(asked):.1f}, mean of {len(asked)} γ, "
        "chance 10",
    )  # fmt: skip
    if FULL or place == "B3":
        tuned = run("vanilla_sweep", data, cache, *common, *asked, environment=KEEP_MEMORY)
        yield Figure(
            what=f"the same at {place}, the hand-written sweep given our setting of malloc",
            value=tuned.extrapolated(len(GAMMAS)) / warm.seconds,
            note=f"{tuned.extrapolated(len(GAMMAS)):.0f} s{how} / {warm.seconds:.0f} s",
        )  # fmt: skip
    alone = limit.measure_in_process(data, cache, place)
    waves = len(GAMMAS) / CONCURRENT
    bound = waves * alone.seconds(EPOCHS)
    started = warm.seconds - warm.training
    yield Figure(
        what=f"the same at {place}: wall clock / what its arithmetic alone takes",
        value=warm.seconds / bound, at_most=1.15,
        note=f"{warm.seconds:.0f} s / {bound:.1f} s; of ours {started:.0f} s are the start of "
        f"Python, Ray and MLflow, the rest is {warm.training / bound:.2f} × the limit",
    )  # fmt: skip
    more = waves * alone.seconds(MORE_EPOCHS)
    wall = started + warm.training * more / bound
    yield Figure(
        what=f"the same at {place} with {MORE_EPOCHS} epochs (extrapolated)",
        value=wall / more, at_most=1.15, note=f"{wall:.0f} s / {more:.0f} s: {alone}",
    )  # fmt: skip
