"""Convolution, bidirectional GRUs, attention (Merkx, Frank & Ernestus 2019; thesis §2.4).

A convolution (`base.StridedConvolution`), 4 BiGRU layers of 1024 units in each direction, vectorial
attention with 128 hidden units: 2048 features. The thesis reproduces the paper's encoder "according
to its original design" (§5.3.3; "CNN + Bi-GRU + Attention" in Table 5.2) and names no other number
of layers: so 4, as in the paper. T frames become T/2.

`speech_units`: units in each direction. Shapes as in `base`.
"""

from jaxtyping import Float, Int
from torch import Tensor, nn

from trainables.experiment import Experiment
from trainables.speech_encoders.base import (
    SpeechEncoder,
    StridedConvolution,
    VectorialAttention,
    longest_first,
    pool,
    projection,
)
from trainables.speech_encoders.pyramid_bigru import BiGRU

VERSION = 1
READS = ["speech_attention", "speech_units", "mels", "window"]
FRONT = None
UNITS = 1024
LAYERS = 4
ATTENTION_HIDDEN = 128


class Merkx(SpeechEncoder):
    """Without attention the mean over time."""

    def __init__(self, experiment: Experiment) -> None:
        super().__init__(experiment)
        units = experiment.speech_units or UNITS
        self.conv = StridedConvolution(experiment.mels)
        sizes = [StridedConvolution.FILTERS] + [2 * units] * (LAYERS - 1)
        self.layers = nn.ModuleList(BiGRU(features, units=units) for features in sizes)
        self.attention = (
            VectorialAttention(2 * units, hidden=ATTENTION_HIDDEN)
            if experiment.speech_attention
            else None
        )
        self.out = projection(2 * units, experiment.embedding)

    def forward(
        self, frames_BTF: Float[Tensor, "B T F"], length_B: Int[Tensor, " B"]
    ) -> Float[Tensor, "B E"]:
        return longest_first(self._embedded, frames_BTF, length_B)

    def _embedded(
        self, frames_BTF: Float[Tensor, "B T F"], length_B: Int[Tensor, " B"]
    ) -> Float[Tensor, "B E"]:
        hidden_BTD, length_B = self.conv(frames_BTF, length_B=length_B)
        for layer in self.layers:
            hidden_BTD = layer(hidden_BTD, length_B=length_B)
        pooled_BD = pool(hidden_BTD, length_B=length_B, attention=self.attention)
        embedding_BE: Tensor = self.out(pooled_BD)
        return embedding_BE


ENCODER = Merkx
