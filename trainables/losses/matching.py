"""Masked matching loss (thesis Eqs 4.8–4.10)."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from data_shards.errors import UsageError
from trainables.losses.base import NONE, Loss, Own

if TYPE_CHECKING:
    import torch
    from torch import Tensor

VERSION = 1


@dataclass(frozen=True, kw_only=True)
class Matching(Loss):
    """Cross-entropy of finding the partner in the batch, in both directions, added.

    Scores are γ·cosine; pairs of the same class off the diagonal are masked out, so that another
    image of the same flower is never a negative.
    """

    name: ClassVar[str] = "matching"

    gamma: float = 13.0
    """Smoothing factor γ of Eq. 4.8 (> 0; thesis: 13)."""

    def __post_init__(self) -> None:
        if not 0 < self.gamma < float("inf"):
            raise UsageError(f"gamma must be > 0 and finite, but got gamma={self.gamma!r}.")

    def __call__(
        self,
        image_BE: "Tensor",
        speech_BE: "Tensor",
        class_B: "Tensor",
        *,
        generator: "torch.Generator",
        own: "Own" = NONE,
    ) -> "Tensor":
        score_BB = self.gamma * speech_BE @ image_BE.T
        masked_BB = class_B[:, None] == class_B[None, :]
        masked_BB = masked_BB.fill_diagonal_(False)
        score_BB = score_BB.masked_fill(masked_BB, float("-inf"))
        to_image_B = score_BB.log_softmax(dim=1).diagonal()
        to_speech_B = score_BB.log_softmax(dim=0).diagonal()
        return -(to_image_B.mean() + to_speech_B.mean())


LOSS = Matching
