"""Embed a split with one view an image and all its captions, and measure retrieval on it."""

from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from data_shards.columns import SplitFeatures
from data_shards.loader import caption_chunks, image_chunks
from trainables.metrics import Retrieval, retrieval
from trainables.model import DualEncoder

CHUNK = 256


def evaluate(model: DualEncoder, features: SplitFeatures, *, device: torch.device) -> Retrieval:
    """Retrieval metrics of a split on its deduplicated gallery, both directions.

    `queries` also says what stands at each place of the galleries: `image_row` (N,), the image's
    row in the split, and `image_class` (N,); `caption_image` (M,), the place of the image that a
    caption is of, and `caption_number` (M,), which of its captions.
    """
    model.eval()
    with torch.inference_mode():
        image_NE = _embed_images(model, features, device)
        speech_ME = _embed_captions(model, features, device)
    found = retrieval(
        speech_ME, image_NE, torch.as_tensor(features.caption_classes),
        torch.as_tensor(features.image_classes),
    )  # fmt: skip
    return replace(found, queries=found.queries | places(features))


def places(features: SplitFeatures) -> dict[str, np.ndarray]:
    """What stands at each place of a split's galleries; see `evaluate`."""
    first = features.speech.first
    row_M = np.searchsorted(first, features.captions, side="right") - 1
    found = {
        "image_row": features.rows,
        "image_class": features.image_classes,
        "caption_image": np.searchsorted(features.rows, row_M),
        "caption_number": features.captions - first[row_M],
    }
    return {name: np.asarray(values, dtype=np.int32) for name, values in found.items()}


def _embed_images(model: DualEncoder, features: SplitFeatures, device: torch.device) -> Tensor:
    return torch.cat(
        [model.embed_images(chunk.to(device)) for chunk in image_chunks(features, CHUNK)]
    )


def _embed_captions(model: DualEncoder, features: SplitFeatures, device: torch.device) -> Tensor:
    """Captions come sorted by length, so that little is padded, and go back to their places."""
    speech_ME: Tensor | None = None
    for index_B, frames_BTF, length_B in caption_chunks(features, CHUNK):
        speech_BE = model.embed_speech(frames_BTF.to(device), length_B.to(device))
        if speech_ME is None:
            speech_ME = speech_BE.new_empty(len(features.caption_classes), speech_BE.shape[1])
        speech_ME[index_B] = speech_BE
    assert speech_ME is not None
    return speech_ME
