"""What every speech encoder is, and the parts that several share.

Shapes: B captions, T frames, F bands, D features, E embedding. Frames from `length` on are
padding, which must have no influence (a contract test holds every encoder to it).
"""

from abc import ABC, abstractmethod
from collections.abc import Callable

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from trainables.experiment import Experiment


class SpeechEncoder(nn.Module, ABC):
    """Frames of a front end, log-mel for most, → embeddings, not yet of unit norm.

    Beside the class, named `ENCODER`, its file has literals for planning: `VERSION`; `READS`, the
    optional fields of an experiment that it reads; `FRONT`, see `speech_encoders.front_end`.
    """

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


def longest_first(
    run: Callable[[Tensor, Tensor], Tensor],
    frames_BTF: Float[Tensor, "B T F"],
    length_B: Int[Tensor, " B"],
) -> Float[Tensor, "B E"]:
    """`run(frames_BTF, length_B)` on captions sorted by length, back in their own order.

    It gets lengths on the CPU (fetched once, not by each layer), no frames behind the longest
    caption's end, and zeros in what padding is left.
    """
    length_B, order_B = length_B.cpu().sort(descending=True, stable=True)
    order_B = order_B.to(frames_BTF.device)
    sorted_BTF = frames_BTF[order_B, : int(length_B[0])]
    valid_BT = valid_frames(length_B, frames=sorted_BTF.shape[1]).to(frames_BTF.device)
    # Not multiplied: what lies in the padding may be infinite.
    zeroed_BTF = sorted_BTF.masked_fill(~valid_BT[:, :, None], 0)
    found_BE = run(zeroed_BTF, length_B)
    return found_BE[order_B.argsort()]


def projection(features: int, embedding: int) -> nn.Module:
    """A linear map to the shared space; nothing where a published size is that of the space."""
    return nn.Identity() if features == embedding else nn.Linear(features, embedding)


class StridedConvolution(nn.Module):
    """64 filters of 6 frames at every second frame, without bias (Chrupała 2017, Merkx 2019).

    Every frame counts: the last window, also that of a caption shorter than it, ends in zeros.
    """

    FILTERS = 64
    _WIDTH = 6
    _STRIDE = 2

    def __init__(self, features: int) -> None:
        super().__init__()
        self.conv = nn.Conv1d(features, self.FILTERS, self._WIDTH, stride=self._STRIDE, bias=False)

    def forward(
        self, frames_BTF: Float[Tensor, "B T F"], *, length_B: Int[Tensor, " B"]
    ) -> tuple[Float[Tensor, "B t D"], Int[Tensor, " B"]]:
        """Padding comes in as zeros; what comes out behind the new lengths is arbitrary."""
        beyond_B = (length_B - self._WIDTH).clamp(min=0)
        windows_B = 1 + (beyond_B + self._STRIDE - 1) // self._STRIDE
        frames = (int(windows_B.max()) - 1) * self._STRIDE + self._WIDTH
        padded_BTF = nn.functional.pad(frames_BTF, (0, 0, 0, max(0, frames - frames_BTF.shape[1])))
        hidden_BDT: Tensor = self.conv(padded_BTF[:, :frames].transpose(1, 2))
        return hidden_BDT.transpose(1, 2), windows_B


class VectorialAttention(nn.Module):
    """Σ_t softmax_t(V tanh(W h_t + b_w) + b_v) ∘ h_t, one weight a feature (Eqs 4.6–4.7)."""

    def __init__(self, features: int, *, hidden: int) -> None:
        super().__init__()
        self.w = nn.Linear(features, hidden)
        self.v = nn.Linear(hidden, features)

    def weights(
        self, hidden_BTD: Float[Tensor, "B T D"], *, valid_BT: Bool[Tensor, "B T"]
    ) -> Float[Tensor, "B T D"]:
        """A weight a frame and feature; over the valid frames they sum to 1 (for pictures too)."""
        score_BTD: Tensor = self.v(self.w(hidden_BTD).tanh())
        return score_BTD.masked_fill(~valid_BT[:, :, None], float("-inf")).softmax(dim=1)

    def forward(
        self, hidden_BTD: Float[Tensor, "B T D"], *, valid_BT: Bool[Tensor, "B T"]
    ) -> Float[Tensor, "B D"]:
        return (self.weights(hidden_BTD, valid_BT=valid_BT) * hidden_BTD).sum(dim=1)


def pool(
    hidden_BTD: Float[Tensor, "B T D"],
    *,
    length_B: Int[Tensor, " B"],
    attention: nn.Module | None,
) -> Float[Tensor, "B D"]:
    """Over the valid frames: what an attention makes of them, or without one their mean."""
    valid_BT = valid_frames(length_B, frames=hidden_BTD.shape[1]).to(hidden_BTD.device)
    pooled = masked_mean if attention is None else attention
    pooled_BD: Tensor = pooled(hidden_BTD, valid_BT=valid_BT)
    return pooled_BD
