"""The data loader against bare decoding on one core, and what training waits for it.

Bare: `tarfile`, JPEG to RGB (Pillow's libjpeg-turbo) and FLAC to samples (libsndfile), of each
image one caption, in a plain loop that forgets what it decodes. The loader does more: it checks
each shard's SHA-256, crops and resizes, makes log-mel frames, shuffles and collates. So it is
compared with the bare loop, and with one that crops, resizes and makes log-mel frames too.

Data: 400 photographs of Oxford-102 where $VFSEL_OXFORD102 names its files, else the built-in
drawings; they are kept under $VFSEL_BENCH (~/.cache/vfsel-bench).
"""

import io
import os
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import soundfile
import torch
from PIL import Image

from benchmarks.figures import Figure, side_by_side
from data_shards import manifest
from data_shards.feature_store import Store
from data_shards.logmel import LogMel
from data_shards.manifest import Data
from data_shards.order import BUFFER
from data_shards.sound import decode_speech
from data_shards.stream import Broken, streamed_batches
from data_shards.views import View
from orchestrator import built_in
from trainables.checkpoints import Checkpoints
from trainables.experiment import Experiment
from trainables.presets import PRESETS
from trainables.training import _Run

SPLITS = ("train", "val")
EPOCHS = 2
OXFORD = 7034  # training images of the whole data set
VIEW, LOGMEL = View(PRESETS["thesis"].image_size, kind="random"), LogMel()

Decode = Callable[[bytes], object]


def measure() -> Iterator[Figure]:
    """Rates on one core, waiting on all."""
    data = _data()
    with _one_core():
        yield from _rates(data)
    yield from _waiting(data, "random", workers=1)
    yield from _waiting(data, "one", workers=0)


def _data() -> Data:
    folder = Path(os.environ.get("VFSEL_BENCH", "~/.cache/vfsel-bench")).expanduser() / "loader"
    root = os.environ.get("VFSEL_OXFORD102")
    out = folder / ("flowers" if root else "drawn")
    if not (out / manifest.NAME).exists():
        _pack_flowers(root, out) if root else built_in.make(out)
    return manifest.load(out)


def _pack_flowers(root: str, out: Path) -> None:
    """Of classes 1 to 60, 40 are for training."""
    options = ["--root", root, "--out", str(out), "--classes", "1-60"]
    limits = ["--images-per-class", "10", "--captions", "2"]
    command = [sys.executable, "-m", "orchestrator", "data", "pack", "oxford102"]
    subprocess.run([*command, *options, *limits], check=True, stdout=sys.stderr)


@contextmanager
def _one_core() -> Iterator[None]:
    threads, cores = torch.get_num_threads(), os.sched_getaffinity(0)
    torch.set_num_threads(1)
    os.sched_setaffinity(0, {max(cores)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, cores)
        torch.set_num_threads(threads)


def _rates(data: Data) -> Iterator[Figure]:
    bare, equal, ours = side_by_side(
        lambda: _plain_loop(data, _pixels, _samples),
        lambda: _plain_loop(data, VIEW, lambda flac: decode_speech(flac, LOGMEL)),
        lambda: _stream(data),
        rounds=3,
    )
    samples = sum(data.manifest.splits[name].samples for name in SPLITS)
    rates = f"{samples / ours:.0f} / {{:.0f}} samples/s"
    yield Figure(
        what="streamed batches / bare tar, JPEG and FLAC decoding, samples a second on one core",
        value=bare / ours,
        at_least=0.8,
        note=f"{rates.format(samples / bare)}; crop, resize and log-mel alone take "
        f"{(equal - bare) / ours:.0%} of the loader's time",
    )
    yield Figure(
        what="streamed batches / the plain loop with crop, resize and log-mel",
        value=equal / ours,
        at_least=0.8,
        note=rates.format(samples / equal),
    )


def _plain_loop(data: Data, jpeg: Decode, flac: Decode) -> None:
    for name in SPLITS:
        for shard in data.manifest.splits[name].shards:
            with tarfile.open(data.shard_url(shard)) as archive:
                for member in archive:
                    if member.name.endswith((".jpg", ".0.flac")):
                        content = archive.extractfile(member)
                        decode = jpeg if member.name.endswith(".jpg") else flac
                        decode(content.read() if content else b"")


def _pixels(jpeg: bytes) -> Image.Image:
    return Image.open(io.BytesIO(jpeg)).convert("RGB")


def _samples(flac: bytes) -> object:
    return soundfile.read(io.BytesIO(flac), dtype="float32")


def _stream(data: Data) -> None:
    for _ in streamed_batches(
        data, SPLITS, view=VIEW, front=LOGMEL, seed=0, epoch=1, batch_size=16, workers=0,
        broken=Broken(0, 1),
    ):  # fmt: skip
        pass


@dataclass
class Waiting:
    """Seconds of training, and its pairs."""

    first: float = 0.0
    """Waited for the first batch of an epoch: streams fill their shuffle buffer by then."""
    later: float = 0.0
    stepped: float = 0.0
    pairs: int = 0

    def percent(self, *, fills: float = 1.0) -> float:
        """Share of waiting when an epoch waits `fills` times as long for its first batch."""
        waited = self.first * fills + self.later
        return 100 * waited / (waited + self.stepped)


def _waiting(data: Data, views: str, *, workers: int) -> Iterator[Figure]:
    """Of the preset `demo`, whose small model waits for no GPU."""
    found = _train(PRESETS["demo"].replace(views=views), data, workers)
    what = f"waiting for batches with views={views}, share of the time of training"
    yield Figure(
        what=what,
        value=found.percent(),
        unit="%",
        at_most=5,
        note=f"preset demo, {workers} loader processes, {found.pairs} pairs in {EPOCHS} epochs: "
        f"{found.first:.2f} s for first batches + {found.later:.2f} s, steps {found.stepped:.1f} s",
    )
    if workers:
        yield Figure(
            what=f"{what}, at {OXFORD:,} images",
            value=found.percent(fills=BUFFER / OXFORD),
            unit="%",
            at_most=5,
            note=f"extrapolated: the first batch waits for {BUFFER:,} decoded samples, above it "
            "waited for all; decoding the others is hidden behind the steps",
        )


def _train(experiment: Experiment, data: Data, workers: int) -> Waiting:
    found, generator = Waiting(), torch.Generator().manual_seed(0)
    with tempfile.TemporaryDirectory() as folder:
        store, checkpoints = Store(Path(folder)), Checkpoints(folder)
        run = _Run(experiment, data, store, checkpoints, torch.device("cpu"), workers)
        run.inputs.prepare()
        for epoch in range(1, EPOCHS + 1):
            asked = time.perf_counter()
            for number, batch in enumerate(run.inputs.training_batches(epoch)):
                came = time.perf_counter()
                run._step(batch, generator)
                found.first += 0 if number else came - asked
                found.later += came - asked if number else 0
                asked = time.perf_counter()
                found.stepped += asked - came
                found.pairs += len(batch.image_ids)
    return found
