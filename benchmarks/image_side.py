"""The image side of an epoch: frozen features from the map against decoding and the backbone.

Both end in what is trained (CBAM and what is behind it, forward and backward) and take the same
images in batches of 64, one thread. `live` decodes, cuts, and runs EfficientNet-Lite0 up to the
cut; `cached` reads the derived column. Real photographs where VFSEL_OXFORD102 is set.
"""

import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from itertools import islice
from pathlib import Path

import torch

from benchmarks.figures import Figure, side_by_side
from benchmarks.real_data import flowers_or_drawings
from data_shards.feature_store import Store
from data_shards.loader import image_chunks
from data_shards.manifest import Data
from data_shards.raw import Raw, raw_samples
from data_shards.views import View
from trainables.allocator import keep_freed_memory
from trainables.experiment import Experiment
from trainables.inputs import Inputs
from trainables.model import DualEncoder, initialise
from trainables.presets import PRESETS

BATCH, BATCHES, SPLIT = 64, 2, "test"
GOALS = {"none": 20.0, "B4": None, "B3": 3.5}


def measure() -> Iterator[Figure]:
    """A ratio for each place of the attention."""
    torch.set_num_threads(1)
    keep_freed_memory()  # as a trial does
    data = flowers_or_drawings()
    for place, goal in GOALS.items():
        experiment = PRESETS["demo"].replace(
            image_encoder="efficientnet_lite0", image_attention=place, data=data.manifest.hash
        )
        with tempfile.TemporaryDirectory() as folder:
            yield _figure(experiment, data, Path(folder), goal)


def _figure(experiment: Experiment, data: Data, folder: Path, goal: float | None) -> Figure:
    model = DualEncoder(experiment).to(memory_format=torch.channels_last)
    initialise(model, experiment.seed)
    model.train()
    features = Inputs(experiment, model, data, Store(folder)).features(SPLIT)

    def cached() -> Iterator[torch.Tensor]:
        yield from islice(image_chunks(features, BATCH), BATCHES)

    live, ours = side_by_side(
        partial(_epoch, model, lambda: islice(_decoded(data, experiment.image_size), BATCHES)),
        partial(_epoch, model, cached),
        rounds=2,
    )
    images = BATCHES * BATCH
    return Figure(
        what=f"image side of an epoch at {experiment.image_attention}: live / cached",
        value=live / ours, at_least=goal,
        note=f"{images} images: {images / live:.0f} → {images / ours:,.0f} images/s a thread",
    )  # fmt: skip


def _epoch(model: DualEncoder, batches: Callable[[], Iterator[torch.Tensor]]) -> None:
    for batch in batches():
        model.zero_grad()
        model.image(batch).sum().backward()


def _decoded(data: Data, size: int) -> Iterator[torch.Tensor]:
    view, chunk = View(size), []
    for shard in data.manifest.splits[SPLIT].shards:
        for raw in raw_samples(data, shard):
            assert isinstance(raw, Raw)
            chunk.append(torch.from_numpy(view(raw.jpeg)))
            if len(chunk) == BATCH:
                yield torch.stack(chunk)
                chunk = []
