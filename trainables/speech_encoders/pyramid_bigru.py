"""Pyramidal bidirectional GRU with vectorial self-attention (thesis §4.1.2, Eqs 4.4–4.7).

Three layers; each takes pairs of consecutive frames of what is below it, the log-mel frames
included, so that T frames become T/8. Shapes as in `base`. Captions come longest first and no
layer computes padding: real captions fill 63 % of a batch of 64.
"""

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from trainables.experiment import Experiment
from trainables.packed_gru import packed_gru
from trainables.speech_encoders.base import (
    SpeechEncoder,
    VectorialAttention,
    longest_first,
    pool,
    valid_frames,
)

VERSION = 2
READS = ["speech_attention", "speech_attention_hidden", "mels", "window"]
FRONT = None


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
        return longest_first(self._pooled, frames_BTF, length_B)

    def _pooled(
        self, hidden_BTD: Float[Tensor, "B T D"], length_B: Int[Tensor, " B"]
    ) -> Float[Tensor, "B E"]:
        for layer in (self.layer1, self.layer2, self.layer3):
            hidden_BTD = pair_frames(hidden_BTD)
            length_B = (length_B + 1) // 2
            hidden_BTD = layer(hidden_BTD, length_B=length_B)
        return pool(hidden_BTD, length_B=length_B, attention=self.attention)


class BiGRU(nn.Module):
    """Both directions of a GRU over captions that come longest first; padding becomes zeros.

    A padded bidirectional `nn.GRU` would start the backward direction in the padding.
    """

    def __init__(self, features: int, *, units: int) -> None:
        super().__init__()
        self.ahead = nn.GRU(features, units, batch_first=True)
        self.back = nn.GRU(features, units, batch_first=True)

    def forward(
        self, hidden_BTD: Float[Tensor, "B T D"], *, length_B: Int[Tensor, " B"]
    ) -> Float[Tensor, "B T H"]:
        """`length_B` is on the CPU."""
        run = step_by_step if hidden_BTD.device.type == "cpu" else packed
        return run(self, hidden_BTD, length_B=length_B)


def step_by_step(
    layer: BiGRU, hidden_BTD: Float[Tensor, "B T D"], *, length_B: Int[Tensor, " B"]
) -> Float[Tensor, "B T H"]:
    """For a CPU: 1.8 times as fast as padded GRUs, forward and backward, on real captions."""
    batch, frames, _ = hidden_BTD.shape
    valid_TB = valid_frames(length_B, frames=frames).t()
    step_N, caption_N = valid_TB.nonzero(as_tuple=True)
    place_N = caption_N * frames + step_N
    sizes = [size for size in valid_TB.sum(dim=1).tolist() if size]
    input_ND = hidden_BTD.flatten(0, 1).index_select(0, place_N)
    ahead_NU = packed_gru(layer.ahead, input_ND, sizes=sizes)
    back_NU = packed_gru(layer.back, input_ND, sizes=sizes, back=True)
    both_NH = torch.cat([ahead_NU, back_NU], dim=1)
    empty_PH = both_NH.new_zeros(batch * frames, both_NH.shape[1])
    return empty_PH.index_copy_(0, place_N, both_NH).view(batch, frames, -1)


def packed(
    layer: BiGRU, hidden_BTD: Float[Tensor, "B T D"], *, length_B: Int[Tensor, " B"]
) -> Float[Tensor, "B T H"]:
    """For a GPU: cuDNN's packed sequences; the backward direction on captions reversed each
    within its own length."""
    reverse_BT = reversal(length_B, frames=hidden_BTD.shape[1]).to(hidden_BTD.device)
    ahead_BTU = _run(layer.ahead, hidden_BTD, length_B)
    back_BTU = _run(layer.back, reorder(hidden_BTD, reverse_BT), length_B)
    return torch.cat([ahead_BTU, reorder(back_BTU, reverse_BT)], dim=2)


def _run(gru: nn.GRU, hidden_BTD: Tensor, length_B: Tensor) -> Tensor:
    found, _ = gru(pack_padded_sequence(hidden_BTD, length_B, batch_first=True))
    return pad_packed_sequence(found, batch_first=True, total_length=hidden_BTD.shape[1])[0]


def reversal(length_B: Int[Tensor, " B"], *, frames: int) -> Int[Tensor, "B T"]:
    """Where each frame goes when valid frames are reversed and padding stays."""
    time_T = torch.arange(frames)
    mirrored_BT = length_B[:, None] - 1 - time_T
    return torch.where(mirrored_BT >= 0, mirrored_BT, time_T)


def reorder(
    hidden_BTD: Float[Tensor, "B T D"], index_BT: Int[Tensor, "B T"]
) -> Float[Tensor, "B T D"]:
    """Each caption's frames in the order given."""
    return hidden_BTD.gather(1, index_BT[:, :, None].expand_as(hidden_BTD))


def pair_frames(hidden_BTD: Float[Tensor, "B T D"]) -> Float[Tensor, "B t DD"]:
    """Two consecutive frames as one of twice the features; an odd one is joined by zeros."""
    padded_BTD = nn.functional.pad(hidden_BTD, (0, 0, 0, hidden_BTD.shape[1] % 2))
    batch, frames, features = padded_BTD.shape
    return padded_BTD.reshape(batch, frames // 2, 2 * features)


ENCODER = PyramidBiGRU
