"""Pyramidal bidirectional LSTM (Scharenborg et al. 2020; thesis §2.4 and Table 5.1: "pBLSTM").

Three layers; the second and the third take pairs of consecutive frames of the layer below, as in
the toolkit XNMT, so that T frames become T/4. Table 5.1 names no attention: mean over time.

512 units in each direction: the size that the toolkit has by default (there for both directions
together); the paper's own could not be verified. `speech_units`: units in each direction.
Shapes as in `base`.
"""

from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from trainables.experiment import Experiment
from trainables.speech_encoders.base import SpeechEncoder, longest_first, pool, projection
from trainables.speech_encoders.pyramid_bigru import pair_frames

VERSION = 1
READS = ["speech_units", "mels", "window"]
FRONT = None
UNITS = 512


class Scharenborg(SpeechEncoder):
    """Three LSTM layers and the mean over time."""

    def __init__(self, experiment: Experiment) -> None:
        super().__init__(experiment)
        units = experiment.speech_units or UNITS
        self.layer1 = _lstm(experiment.mels, units)
        self.layer2 = _lstm(4 * units, units)
        self.layer3 = _lstm(4 * units, units)
        self.out = projection(2 * units, experiment.embedding)

    def forward(
        self, frames_BTF: Float[Tensor, "B T F"], length_B: Int[Tensor, " B"]
    ) -> Float[Tensor, "B E"]:
        return longest_first(self._embedded, frames_BTF, length_B)

    def _embedded(
        self, frames_BTF: Float[Tensor, "B T F"], length_B: Int[Tensor, " B"]
    ) -> Float[Tensor, "B E"]:
        hidden_BTD = _run(self.layer1, frames_BTF, length_B)
        for layer in (self.layer2, self.layer3):
            length_B = (length_B + 1) // 2
            hidden_BTD = _run(layer, pair_frames(hidden_BTD), length_B)
        embedding_BE: Tensor = self.out(pool(hidden_BTD, length_B=length_B, attention=None))
        return embedding_BE


def _lstm(features: int, units: int) -> nn.LSTM:
    return nn.LSTM(features, units, batch_first=True, bidirectional=True)


def _run(lstm: nn.LSTM, hidden_BTD: Tensor, length_B: Tensor) -> Tensor:
    """Packed, so that each direction runs over each caption's own frames; padding becomes zeros.

    On a CPU packing is slow (3 to 4 times a padded call) but right: padded, the backward direction
    would start in the padding.
    """
    found, _ = lstm(pack_padded_sequence(hidden_BTD, length_B, batch_first=True))
    return pad_packed_sequence(found, batch_first=True, total_length=hidden_BTD.shape[1])[0]


ENCODER = Scharenborg
