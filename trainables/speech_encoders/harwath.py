"""Convolutions over time (Harwath, Torralba & Glass 2016; thesis §2.4 and Table 5.2).

All mel bands × 5 frames / 64 channels, 25 frames / 512, 25 frames / 1024, each with ReLU; after the
first two the maximum of 4 frames at every second one; mean over time. T frames become T/4.

The paper does not say what lies at a caption's ends; here: zeros for the convolutions, nothing for
the maxima, so that every length gives an embedding. `speech_units`: channels of the last
convolution; the others have a sixteenth and half of them, as published. Shapes as in `base`.
"""

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from trainables.experiment import Experiment
from trainables.speech_encoders.base import (
    SpeechEncoder,
    masked_mean,
    projection,
    valid_frames,
)

VERSION = 1
READS = ["speech_units", "mels", "window"]
FRONT = None
UNITS = 1024


class Harwath(SpeechEncoder):
    """Three convolutions and the mean over time."""

    def __init__(self, experiment: Experiment) -> None:
        super().__init__(experiment)
        units = experiment.speech_units or UNITS
        first, second = max(1, units // 16), max(1, units // 2)
        self.conv1 = nn.Conv1d(experiment.mels, first, 5, padding="same")
        self.conv2 = nn.Conv1d(first, second, 25, padding="same")
        self.conv3 = nn.Conv1d(second, units, 25, padding="same")
        self.out = projection(units, experiment.embedding)

    def forward(
        self, frames_BTF: Float[Tensor, "B T F"], length_B: Int[Tensor, " B"]
    ) -> Float[Tensor, "B E"]:
        length_B = length_B.to(frames_BTF.device)
        hidden_BDT = _masked(frames_BTF.transpose(1, 2), length_B)
        for conv in (self.conv1, self.conv2):
            hidden_BDT = _halved(_masked(conv(hidden_BDT).relu(), length_B))
            length_B = (length_B + 1) // 2
            hidden_BDT = _masked(hidden_BDT, length_B)
        hidden_BTD = self.conv3(hidden_BDT).relu().transpose(1, 2)
        valid_BT = valid_frames(length_B, frames=hidden_BTD.shape[1])
        embedding_BE: Tensor = self.out(masked_mean(hidden_BTD, valid_BT=valid_BT))
        return embedding_BE


def _masked(
    hidden_BDT: Float[Tensor, "B D T"], length_B: Int[Tensor, " B"]
) -> Float[Tensor, "B D T"]:
    """Zeros in the padding, whatever lay there."""
    valid_BT = valid_frames(length_B, frames=hidden_BDT.shape[2])
    return hidden_BDT.masked_fill(~valid_BT[:, None, :], 0)


def _halved(hidden_BDT: Float[Tensor, "B D T"]) -> Float[Tensor, "B D t"]:
    """The maximum of frames 2t-1 to 2t+2; behind ReLU the zeros of the padding never win."""
    return torch.max_pool1d(hidden_BDT, 4, stride=2, padding=1, ceil_mode=True)


ENCODER = Harwath
