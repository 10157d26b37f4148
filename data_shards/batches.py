"""A batch of paired images and captions, with masked padding."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int, Shaped
from torch import Tensor


@dataclass(frozen=True)
class Batch:
    """B images, each with one caption."""

    image: Shaped[Tensor, "B ..."]
    """Pixels (B, 3, S, S) uint8, or features of a frozen backbone, float16."""
    frames_BTF: Float[Tensor, "B T F"]
    """Log-mel frames, zeros behind each caption's end."""
    length_B: Int[Tensor, " B"]
    """Valid frames of each caption."""
    class_B: Int[Tensor, " B"]
    image_ids: list[str]

    def to(self, device: torch.device) -> "Batch":
        """On another device; from pinned memory and without waiting where that is a GPU.

        Lengths stay: cuDNN wants them on the CPU, and fetching them back would wait for the GPU.
        """
        if device.type == "cpu":
            return self
        image, frames_BTF, class_B = (
            value.pin_memory().to(device, non_blocking=True)
            for value in (self.image, self.frames_BTF, self.class_B)
        )
        return Batch(image, frames_BTF, self.length_B, class_B, self.image_ids)


def pad(
    frames: Sequence[Float[Tensor, "_ F"]],
) -> tuple[Float[Tensor, "B T F"], Int[Tensor, " B"]]:
    """Captions of different lengths as one float32 tensor with zeros behind, and their lengths."""
    length_B = torch.tensor([len(frames_TF) for frames_TF in frames])
    padded_BTF = torch.zeros(len(frames), int(length_B.max()), frames[0].shape[1])
    for row_TF, frames_TF in zip(padded_BTF, frames, strict=True):
        row_TF[: len(frames_TF)] = frames_TF
    return padded_BTF, length_B
