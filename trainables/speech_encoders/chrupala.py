"""Recurrent highway network (Chrupała, Gelderloos & Alishahi 2017; thesis Eq. 2.13).

A convolution (`base.StridedConvolution`), 4 layers of 1024 units with 2 microsteps a frame (Zilly
et al. 2017), each layer but the first added to its input, then scalar attention over time with 128
hidden units. T frames become T/2.

Dropout: 0.25 of a layer's input and 0.1 of its state, one draw a caption that stays over time and
is shared by both gates, as in the paper's code. `speech_units`: units of the highway network.
Shapes as in `base`; packed: N valid frames as in `packed_gru`, `sizes` captions a step, U units.
"""

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence, pad_packed_sequence

from trainables.experiment import Experiment
from trainables.speech_encoders.base import (
    SpeechEncoder,
    StridedConvolution,
    longest_first,
    pool,
    projection,
)

VERSION = 1
READS = ["speech_units", "mels", "window"]
FRONT = None
UNITS = 1024
LAYERS = 4
MICROSTEPS = 2
ATTENTION_HIDDEN = 128
DROP_INPUT = 0.25
DROP_STATE = 0.1
GATE_BIAS = -2.0  # transform gates begin nearly closed: a state lasts
FEWEST = 12
"""Rows that a step computes at least, the others of no caption: a CPU's last bits at 5 to 11 rows
would depend on the number of threads."""


class Chrupala(SpeechEncoder):
    """Convolution, highway layers, attention."""

    def __init__(self, experiment: Experiment) -> None:
        super().__init__(experiment)
        units = experiment.speech_units or UNITS
        self.conv = StridedConvolution(experiment.mels)
        sizes = [StridedConvolution.FILTERS] + [units] * (LAYERS - 1)
        self.layers = nn.ModuleList(Highway(features, units=units) for features in sizes)
        self.attention = ScalarAttention(units, hidden=ATTENTION_HIDDEN)
        self.out = projection(units, experiment.embedding)

    def forward(
        self, frames_BTF: Float[Tensor, "B T F"], length_B: Int[Tensor, " B"]
    ) -> Float[Tensor, "B E"]:
        return longest_first(self._embedded, frames_BTF, length_B)

    def _embedded(
        self, frames_BTF: Float[Tensor, "B T F"], length_B: Int[Tensor, " B"]
    ) -> Float[Tensor, "B E"]:
        hidden_BTD, length_B = self.conv(frames_BTF, length_B=length_B)
        packed = pack_padded_sequence(hidden_BTD, length_B, batch_first=True)
        sizes = packed.batch_sizes.tolist()
        hidden_NU = self.layers[0](packed.data, sizes=sizes)
        for layer in self.layers[1:]:
            hidden_NU = hidden_NU + layer(hidden_NU, sizes=sizes)
        packed = PackedSequence(hidden_NU, packed.batch_sizes)
        hidden_BTU, _ = pad_packed_sequence(packed, batch_first=True)
        embedding_BE: Tensor = self.out(
            pool(hidden_BTU, length_B=length_B, attention=self.attention)
        )
        return embedding_BE


class Highway(nn.Module):
    """One layer: s = s + T (H - s) at each microstep, H = tanh and T = sigmoid of linear maps of s;
    at the first microstep of a frame of the input too. Rows of the weights: H's, then T's."""

    def __init__(self, features: int, *, units: int) -> None:
        super().__init__()
        self.units = units
        self.weight_input = nn.Parameter(torch.empty(2 * units, features))
        self.weight_state = nn.Parameter(torch.empty(MICROSTEPS, 2 * units, units))
        self.bias = nn.Parameter(torch.empty(MICROSTEPS, 2 * units))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """As PyTorch's recurrent layers, but for the transform gates' bias."""
        for parameter in self.parameters():
            nn.init.uniform_(parameter, -(self.units**-0.5), self.units**-0.5)
        nn.init.constant_(self.bias[:, self.units :], GATE_BIAS)

    def forward(self, input_ND: Float[Tensor, "N D"], *, sizes: list[int]) -> Float[Tensor, "N U"]:
        # In float32 under autocast too: rounding adds up over the steps.
        with torch.autocast(input_ND.device.type, enabled=False):
            return self._steps(input_ND.float(), sizes)

    def _steps(self, input_ND: Tensor, sizes: list[int]) -> Tensor:
        row_N = torch.cat([torch.arange(size) for size in sizes])
        kept_ND = self._kept(DROP_INPUT, (sizes[0], input_ND.shape[1]))[row_N]
        kept_BU = self._kept(DROP_STATE, (max(sizes[0], FEWEST), self.units)).to(input_ND.device)
        input_ND = input_ND * kept_ND.to(input_ND.device)
        from_input_NG = nn.functional.linear(input_ND, self.weight_input, self.bias[0])
        weights, bias_G = self.weight_state.unbind(), self.bias[1]
        state_BU, states = torch.zeros_like(kept_BU), []
        for first_BG, size in zip(torch.split(from_input_NG, sizes), sizes, strict=True):
            rows = max(size, FEWEST)
            first_BG = nn.functional.pad(first_BG, (0, 0, 0, rows - size))
            state_BU, kept_BU = state_BU[:rows], kept_BU[:rows]
            for weight_GU, added in zip(weights, (first_BG, bias_G), strict=True):
                gate_BG = nn.functional.linear(state_BU * kept_BU, weight_GU) + added
                new_BU, transform_BU = gate_BG.chunk(2, dim=1)
                state_BU = torch.lerp(state_BU, new_BU.tanh(), transform_BU.sigmoid())
            states.append(state_BU[:size])
        return torch.cat(states)

    def _kept(self, rate: float, shape: tuple[int, int]) -> Float[Tensor, "B D"]:
        """Factors of dropout; drawn on the CPU, whose generator's state a checkpoint holds."""
        kept_BD: Tensor = nn.functional.dropout(torch.ones(shape), rate, self.training)
        return kept_BD


class ScalarAttention(nn.Module):
    """Σ_t softmax_t(v · tanh(W h_t + b_w) + b_v) h_t, one weight a frame."""

    def __init__(self, features: int, *, hidden: int) -> None:
        super().__init__()
        self.w = nn.Linear(features, hidden)
        self.v = nn.Linear(hidden, 1)

    def weights(
        self, hidden_BTD: Float[Tensor, "B T D"], *, valid_BT: Bool[Tensor, "B T"]
    ) -> Float[Tensor, "B T 1"]:
        """A weight a frame; over the valid frames they sum to 1 (for pictures too)."""
        score_BT1: Tensor = self.v(self.w(hidden_BTD).tanh())
        return score_BT1.masked_fill(~valid_BT[:, :, None], float("-inf")).softmax(dim=1)

    def forward(
        self, hidden_BTD: Float[Tensor, "B T D"], *, valid_BT: Bool[Tensor, "B T"]
    ) -> Float[Tensor, "B D"]:
        return (self.weights(hidden_BTD, valid_BT=valid_BT) * hidden_BTD).sum(dim=1)


ENCODER = Chrupala
