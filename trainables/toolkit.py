"""For trainables of one's own: the data as arrays, the metrics, a loop that can be resumed.

None of it must be used; what is measured with `measure` compares with VFSEL and everybody else.
"""

from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor
from torch.nn.functional import normalize

from data_shards.columns import SplitFeatures
from data_shards.feature_store import Store
from data_shards.features import derive_images, derive_speech
from data_shards.logmel import LogMel
from data_shards.manifest import Data
from data_shards.views import View
from trainables.evaluation import places
from trainables.loop import run_epochs
from trainables.metrics import Retrieval, retrieval
from trainables.settings import Settings
from trainables.training import Outcome, Report

__all__ = ["Outcome", "Report", "Retrieval", "Settings", "features", "measure", "run_epochs"]


def features(
    settings: Settings, split: str, *, data: Data, cache: Path, image_size: int = 64, mels: int = 40
) -> SplitFeatures:
    """A split's images as pixels (3, S, S) uint8, its captions as log-mel frames (T, F) float16.

    Computed once a node. What could not be read is left out and counted in `dropped`.

    Raises:
        DataError: more than `settings.max_broken` could not be read.
    """
    store, most = Store(cache), settings.max_broken
    packed = data.cached(cache)
    images = derive_images(
        packed, split, key=f"pixels-{image_size}", view=View(image_size), transform=_as_they_are,
        store=store, max_broken=most,
    )  # fmt: skip
    front = LogMel(mels=mels, window="hamming")
    speech = derive_speech(packed, split, front=front, store=store, max_broken=most)
    shard_samples = [shard.samples for shard in data.manifest.splits[split].shards]
    return SplitFeatures((images,), speech, shard_samples, most)


def _as_they_are(pixels: Tensor) -> Tensor:
    return pixels


def measure(found: SplitFeatures, *, image_NE: Tensor, speech_ME: Tensor) -> Retrieval:
    """Metrics, percent, and per-query arrays, of embeddings in the order of a split.

    Args:
        image_NE: an embedding for each of `found.image_classes`; of any length, not 0.
        speech_ME: an embedding for each of `found.caption_classes`.

    Raises:
        ValueError: another number of embeddings, or one that is not finite.
    """
    wanted = (len(found.image_classes), len(found.caption_classes))
    if (len(image_NE), len(speech_ME)) != wanted:
        raise ValueError(
            f"there must be {wanted[0]} image and {wanted[1]} speech embeddings, but got "
            f"{len(image_NE)} and {len(speech_ME)}"
        )
    measured = retrieval(
        normalize(speech_ME.float()), normalize(image_NE.float()),
        torch.as_tensor(found.caption_classes), torch.as_tensor(found.image_classes),
    )  # fmt: skip
    return replace(measured, queries=measured.queries | places(found))
