"""Embed a split with one view an image and all its captions, and measure retrieval on it."""

import torch
from torch import Tensor

from data_shards.columns import SplitFeatures
from data_shards.loader import caption_chunks, image_chunks
from trainables.metrics import Retrieval, retrieval
from trainables.model import DualEncoder

CHUNK = 256


def evaluate(model: DualEncoder, features: SplitFeatures, *, device: torch.device) -> Retrieval:
    """Retrieval metrics of a split on its deduplicated gallery, both directions."""
    model.eval()
    with torch.inference_mode():
        image_NE = _embed_images(model, features, device)
        speech_ME = _embed_captions(model, features, device)
    return retrieval(
        speech_ME, image_NE, torch.as_tensor(features.caption_classes),
        torch.as_tensor(features.image_classes),
    )  # fmt: skip


def _embed_images(model: DualEncoder, features: SplitFeatures, device: torch.device) -> Tensor:
    return torch.cat([model.image(chunk.to(device)) for chunk in image_chunks(features, CHUNK)])


def _embed_captions(model: DualEncoder, features: SplitFeatures, device: torch.device) -> Tensor:
    """Captions come sorted by length, so that little is padded, and go back to their places."""
    speech_ME: Tensor | None = None
    for index_B, frames_BTF, length_B in caption_chunks(features, CHUNK):
        speech_BE = model.speech(frames_BTF.to(device), length_B.to(device))
        if speech_ME is None:
            speech_ME = speech_BE.new_empty(len(features.caption_classes), speech_BE.shape[1])
        speech_ME[index_B] = speech_BE
    assert speech_ME is not None
    return speech_ME
