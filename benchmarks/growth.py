"""How cost grows: with trials, captions, shards and the gallery; exponents of fitted power laws.

Each is measured at sizes that grow by ten or three; `t = c·n^p` is fitted by least squares on the
logarithms of the larger sizes, where what is fixed no longer shows. An exponent of 1 is a straight
line, of 2 a square. Captions here have 10 frames, so that 100,000 of them fit any disk: what grows
is the bookkeeping of an epoch, not the arithmetic.
"""

import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import torch

from benchmarks.empty_trials import METRICS, question
from benchmarks.figures import Figure, side_by_side
from data_shards.columns import ImageColumn, SpeechColumn, SplitFeatures
from data_shards.loader import cached_batches
from orchestrator.planning import missing
from orchestrator.storage import SCHEMA, Storage
from trainables.metrics import retrieval

FRAMES, MELS, EMBEDDING = 10, 40, 2048


def measure() -> Iterator[Figure]:
    """One exponent each."""
    torch.set_num_threads(2)
    with tempfile.TemporaryDirectory() as folder:
        yield _grown("planning, with trials (half of them recorded)", (100, 1000, 3000),
                     lambda count: _planning(Path(folder) / str(count), count))  # fmt: skip
    yield _grown("an epoch's batches from cached columns, with captions",
                 (1000, 10_000, 100_000), lambda count: _epoch(count, shards=10))  # fmt: skip
    yield _grown("the same 10,000 captions, with shards", (10, 100, 1000),
                 lambda shards: _epoch(10_000, shards=shards))  # fmt: skip
    yield _grown("retrieval, with captions (a tenth as many images)", (2000, 6000, 18_000),
                 _retrieval)  # fmt: skip


def _grown(
    what: str, sizes: Sequence[int], prepare: Callable[[int], Callable[[], object]]
) -> Figure:
    times = [side_by_side(prepare(size), rounds=3)[0] for size in sizes]
    slope = np.polyfit(np.log(sizes[-2:]), np.log(times[-2:]), 1)[0]
    shown = ", ".join(f"{n:,}: {1000 * t:.3g} ms" for n, t in zip(sizes, times, strict=True))
    return Figure(what=what, value=float(slope), unit="(exponent)", note=shown)


def _planning(folder: Path, count: int) -> Callable[[], object]:
    asked, storage = question(count), Storage(str(folder))
    about = {"schema": SCHEMA, "selection": {"value": 24.6}, "test": METRICS, "reports": []}
    ids = [trial.id for trial in asked.plan(storage).trials][::2]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda one: storage.write_record(about | {"trial_id": one}, {}), ids))
    return lambda: missing(asked.plan(storage), storage)


def _epoch(count: int, *, shards: int) -> Callable[[], object]:
    """A caption an image: the most images there can be."""
    ids, classes = [str(number) for number in range(count)], [0] * count
    images = ImageColumn(ids, classes, [], np.zeros((count, 64), np.float16))
    frames_TF = np.zeros((count * FRAMES, MELS), np.float16)
    starts, first = np.arange(count + 1) * FRAMES, np.arange(count + 1)
    speech = SpeechColumn(ids, classes, [], frames_TF, starts, first, np.array(["a"] * count))
    split = SplitFeatures((images,), speech, [count // shards] * shards)
    return lambda: sum(1 for _ in cached_batches([split], seed=0, epoch=1, batch_size=64))


def _retrieval(count: int) -> Callable[[], object]:
    generator = torch.Generator().manual_seed(0)
    sides = [torch.randn(n, EMBEDDING, generator=generator) for n in (count, count // 10)]
    speech_ME, image_NE = (torch.nn.functional.normalize(side) for side in sides)
    classes = [torch.arange(len(side)) % 50 for side in sides]
    return lambda: retrieval(speech_ME, image_NE, *classes)
