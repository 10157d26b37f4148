"""What every speech encoder is, and the parts that several share.

Shapes: B captions, T frames, F bands, D features, E embedding. Frames from `length` on are
padding, which must have no influence (a contract test holds every encoder to it).
"""

from abc import ABC, abstractmethod

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from trainables.experiment import Experiment


class SpeechEncoder(nn.Module, ABC):
    """Log-mel frames → unit-norm embeddings."""

    @abstractmethod
    def __init__(self, experiment: Experiment) -> None:
        super().__init__()

    @abstractmethod
    def forward(
        self, frames_BTF: Float[Tensor, "B T F"], length_B: Int[Tensor, " B"]
    ) -> Float[Tensor, "B E"]:
        """Embeddings; `length_B` counts each caption's valid frames (1 … T)."""


def valid_frames(length_B: Int[Tensor, " B"], *, frames: int) -> Bool[Tensor, "B T"]:
    """True where a frame is not padding."""
    return torch.arange(frames, device=length_B.device)[None, :] < length_B[:, None]


def masked_mean(
    hidden_BTD: Float[Tensor, "B T D"], *, valid_BT: Bool[Tensor, "B T"]
) -> Float[Tensor, "B D"]:
    """The mean over the valid frames."""
    total_BD = (hidden_BTD * valid_BT[:, :, None]).sum(dim=1)
    return total_BD / valid_BT.sum(dim=1, keepdim=True)


class VectorialAttention(nn.Module):
    """Σ_t softmax_t(V tanh(W h_t + b_w) + b_v) ∘ h_t, one weight a feature (Eqs 4.6–4.7)."""

    def __init__(self, features: int, *, hidden: int) -> None:
        super().__init__()
        self.w = nn.Linear(features, hidden)
        self.v = nn.Linear(hidden, features)

    def forward(
        self, hidden_BTD: Float[Tensor, "B T D"], *, valid_BT: Bool[Tensor, "B T"]
    ) -> Float[Tensor, "B D"]:
        score_BTD = self.v(self.w(hidden_BTD).tanh())
        score_BTD = score_BTD.masked_fill(~valid_BT[:, :, None], float("-inf"))
        attended_BD: Tensor = (score_BTD.softmax(dim=1) * hidden_BTD).sum(dim=1)
        return attended_BD
