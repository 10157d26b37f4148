"""Against a slow version that takes one caption at a time."""

import pytest
import torch

from trainables.experiment import Experiment
from trainables.speech_encoders.harwath import Harwath


def slow(encoder, frames_TF):
    hidden = frames_TF.tolist()
    for conv, pooled in ((encoder.conv1, True), (encoder.conv2, True), (encoder.conv3, False)):
        hidden = [_at(conv, hidden, t) for t in range(len(hidden))]
        if pooled:
            steps = range(0, len(hidden), 2)
            hidden = [_maximum(hidden[max(0, t - 1) : t + 3]) for t in steps]
    return torch.tensor(hidden).mean(dim=0)


def _at(conv, hidden, t):
    """The convolution around frame t, nothing beyond the ends, and ReLU."""
    half, total = conv.kernel_size[0] // 2, conv.bias.clone()
    for place, frame in enumerate(hidden):
        if abs(place - t) <= half:
            total += conv.weight[:, :, place - t + half] @ torch.tensor(frame)
    return total.relu().tolist()


def _maximum(frames):
    return [max(values) for values in zip(*frames, strict=True)]


@pytest.mark.parametrize("length", [1, 2, 3, 5, 8, 30])
@torch.no_grad()
def test_it_equals_the_slow_version(length):
    torch.manual_seed(0)
    encoder = Harwath(Experiment(speech_encoder="harwath", mels=3, speech_units=32, embedding=32))
    frames_TF = torch.randn(length, 3)
    found = encoder(frames_TF[None], torch.tensor([length]))[0]
    torch.testing.assert_close(found, slow(encoder, frames_TF), atol=1e-6, rtol=1e-5)


@pytest.mark.parametrize(
    ("units", "channels"), [(0, (64, 512, 1024)), (64, (4, 32, 64)), (1, (1, 1, 1))]
)
def test_channels_keep_their_published_ratio(units, channels):
    with torch.device("meta"):
        encoder = Harwath(Experiment(speech_encoder="harwath", speech_units=units))
    convolutions = (encoder.conv1, encoder.conv2, encoder.conv3)
    assert tuple(conv.out_channels for conv in convolutions) == channels
