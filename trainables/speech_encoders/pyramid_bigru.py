"""Pyramidal bidirectional GRU with vectorial self-attention (thesis §4.1.2, Eqs 4.4–4.7).

Three layers; each takes pairs of consecutive frames of what is below it, the log-mel frames
included, so that T frames become T/8. Shapes as in `base`.
"""

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from trainables.experiment import Experiment
from trainables.speech_encoders.base import (
    SpeechEncoder,
    VectorialAttention,
    masked_mean,
    valid_frames,
)

VERSION = 1
MAX_GROUPS = 4
MIN_GROUP = 64


class PyramidBiGRU(SpeechEncoder):
    """embedding / 2 units in each direction; without attention the mean over time."""

    def __init__(self, experiment: Experiment) -> None:
        super().__init__(experiment)
        units = experiment.embedding // 2
        self.layer1 = BiGRU(2 * experiment.mels, units=units)
        self.layer2 = BiGRU(4 * units, units=units)
        self.layer3 = BiGRU(4 * units, units=units)
        hidden = experiment.speech_attention_hidden
        self.attention = (
            VectorialAttention(2 * units, hidden=hidden) if experiment.speech_attention else None
        )

    def forward(
        self, frames_BTF: Float[Tensor, "B T F"], length_B: Int[Tensor, " B"]
    ) -> Float[Tensor, "B E"]:
        """Computed in groups of similar length, which spares the work on padding."""
        order_B = length_B.argsort(stable=True)
        groups = order_B.chunk(group_count(len(length_B), device=frames_BTF.device))
        pooled = []
        for index_G in groups:
            longest = int(length_B[index_G[-1]])
            pooled.append(self._pooled(frames_BTF[index_G, :longest], length_B[index_G]))
        pooled_BE = torch.cat(pooled)[order_B.argsort()]
        return nn.functional.normalize(pooled_BE, dim=1)

    def _pooled(
        self, frames_BTF: Float[Tensor, "B T F"], length_B: Int[Tensor, " B"]
    ) -> Float[Tensor, "B E"]:
        valid_BT = valid_frames(length_B, frames=frames_BTF.shape[1])
        hidden_BTD = frames_BTF * valid_BT[:, :, None]
        for layer in (self.layer1, self.layer2, self.layer3):
            hidden_BTD = pair_frames(hidden_BTD)
            length_B = (length_B + 1) // 2
            valid_BT = valid_frames(length_B, frames=hidden_BTD.shape[1])
            hidden_BTD = layer(hidden_BTD, length_B=length_B, valid_BT=valid_BT)
        if self.attention is None:
            return masked_mean(hidden_BTD, valid_BT=valid_BT)
        attended_BE: Tensor = self.attention(hidden_BTD, valid_BT=valid_BT)
        return attended_BE


class BiGRU(nn.Module):
    """Both directions of a GRU over padded sequences; padded frames come out as zeros.

    Two one-directional GRUs, the backward one on sequences reversed each within its own length:
    a bidirectional `nn.GRU` would start the backward pass in the padding, and packed sequences
    are several times slower on a CPU.
    """

    def __init__(self, features: int, *, units: int) -> None:
        super().__init__()
        self.ahead = nn.GRU(features, units, batch_first=True)
        self.back = nn.GRU(features, units, batch_first=True)

    def forward(
        self,
        hidden_BTD: Float[Tensor, "B T D"],
        *,
        length_B: Int[Tensor, " B"],
        valid_BT: Bool[Tensor, "B T"],
    ) -> Float[Tensor, "B T H"]:
        ahead_BTU, _ = self.ahead(hidden_BTD)
        back_BTU, _ = self.back(reverse(hidden_BTD, length_B=length_B))
        both = [ahead_BTU, reverse(back_BTU, length_B=length_B)]
        return torch.cat(both, dim=2) * valid_BT[:, :, None]


def reverse(
    hidden_BTD: Float[Tensor, "B T D"], *, length_B: Int[Tensor, " B"]
) -> Float[Tensor, "B T D"]:
    """Each sequence's valid frames in reverse order; padding stays where it is."""
    time_T = torch.arange(hidden_BTD.shape[1], device=hidden_BTD.device)
    mirrored_BT = length_B[:, None] - 1 - time_T
    index_BT = torch.where(mirrored_BT >= 0, mirrored_BT, time_T)
    return hidden_BTD.gather(1, index_BT[:, :, None].expand_as(hidden_BTD))


def pair_frames(hidden_BTD: Float[Tensor, "B T D"]) -> Float[Tensor, "B t DD"]:
    """Two consecutive frames as one of twice the features; an odd one is joined by zeros."""
    padded_BTD = nn.functional.pad(hidden_BTD, (0, 0, 0, hidden_BTD.shape[1] % 2))
    batch, frames, features = padded_BTD.shape
    return padded_BTD.reshape(batch, frames // 2, 2 * features)


def group_count(batch: int, *, device: torch.device) -> int:
    """How many groups of similar length a batch is split into: on a CPU one for each 64 captions.

    Measured there at 200 to 640 frames, 128 units, on one thread: 4 groups make 256 captions
    1.5 times as fast, but 64 captions 1.25 times as slow, since small products waste the
    processor. On a GPU the number of steps counts, and every group adds its own.
    """
    if device.type != "cpu":
        return 1
    return max(1, min(MAX_GROUPS, batch // MIN_GROUP))


ENCODER = PyramidBiGRU
