"""What a query is compared with: all images or all captions of a split, embedded once a node.

Shapes: G items of a gallery, E embedding.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from data_shards import columns_kept
from data_shards.columns import SplitFeatures
from data_shards.errors import unknown
from data_shards.feature_store import Store
from data_shards.loader import caption_chunks, image_chunks
from data_shards.manifest import Data
from data_shards.progress import Advance
from orchestrator.query.trained import Trained
from trainables.evaluation import CHUNK, places
from trainables.inputs import Inputs

Side = Literal["image", "speech"]
Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Gallery:
    """One side of a split, in the order in which a trial's record counts it."""

    embedding_GE: Float[Tensor, "G E"]
    """Of unit norm."""
    row_G: Array
    """Row in the split of the sample that the item is of."""
    caption_G: Array
    """Which of the sample's captions it is; 0 for images."""

    def ranked(self, query_E: Float[Tensor, " E"], top: int) -> list[tuple[int, float]]:
        """Place and cosine of the first `top` items: by score, then by place, as in the metrics."""
        score_G = self.embedding_GE @ query_E
        order = score_G.sort(descending=True, stable=True).indices[:top]
        return [(int(place), float(score_G[place])) for place in order]


def gallery(trained: Trained, data: Data, *, split: str, side: Side, cache: Path) -> Gallery:
    """A split's images, or captions, as the trial embeds them; kept in the cache.

    On the trial's own data these are the items that it was tested on; on others all captions are
    there, whatever voices it was to be tested on.

    Raises:
        UsageError: the data have no such split.
        DataError: they are damaged.
    """
    if split not in data.manifest.splits:
        raise unknown("--split", split, sorted(data.manifest.splits))
    store, name = Store(cache), _name(trained, data, split, side)
    samples = data.manifest.splits[split].samples
    # What is embedded is derived first: it has a progress bar of its own.
    features = None if columns_kept.use(cache / name) else _features(trained, data, split, store)

    def write(target: Path, advance: Advance) -> None:
        _write(trained, features or _features(trained, data, split, store), side, target)
        advance(samples)

    folder = store.once(name, write, samples=samples)
    embedding, row, caption = (
        np.load(folder / f"{part}.npy", allow_pickle=False)
        for part in ("embedding", "row", "caption")
    )
    return Gallery(torch.from_numpy(embedding), row, caption)


def _name(trained: Trained, data: Data, split: str, side: Side) -> str:
    key = f"{trained.id} {trained.digest} {data.manifest.hash} {split} {side}"
    return f"gallery-{hashlib.sha256(key.encode()).hexdigest()[:16]}"


def _features(trained: Trained, data: Data, split: str, store: Store) -> SplitFeatures:
    experiment = trained.experiment
    if experiment.data != data.manifest.hash:
        experiment = experiment.replace(training_voices="all")
    return Inputs(experiment, trained.model, data, store).features(split)


def _write(trained: Trained, features: SplitFeatures, side: Side, target: Path) -> None:
    at = places(features)
    with torch.inference_mode():
        embedding_GE = torch.empty(
            len(at["image_row"] if side == "image" else at["caption_image"]),
            trained.experiment.embedding,
        )
        for place_B, chunk_BE in _embedded(trained, features, side):
            embedding_GE[place_B] = chunk_BE
    of_captions = at["image_row"][at["caption_image"]], at["caption_number"]
    of_images = at["image_row"], np.zeros_like(at["image_row"])
    row_G, caption_G = of_images if side == "image" else of_captions
    np.save(target / "embedding.npy", embedding_GE.numpy())
    np.save(target / "row.npy", row_G)
    np.save(target / "caption.npy", caption_G)
    (target / columns_kept.INDEX).write_text("{}")


def _embedded(
    trained: Trained, features: SplitFeatures, side: Side
) -> Iterator[tuple[Tensor, Tensor]]:
    """Places and embeddings, in the chunks of an evaluation: others round differently."""
    if side == "speech":
        for place_B, frames_BTF, length_B in caption_chunks(features, CHUNK):
            yield place_B, trained.model.embed_speech(frames_BTF, length_B)
        return
    start = 0
    for chunk in image_chunks(features, CHUNK):
        yield torch.arange(start, start + len(chunk)), trained.model.embed_images(chunk)
        start += len(chunk)
