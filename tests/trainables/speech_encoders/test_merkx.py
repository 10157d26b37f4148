import pytest
import torch
from torch import nn

from tests.trainables.speech_encoders.test_pyramid_bigru import bidirectional
from trainables.experiment import Experiment
from trainables.speech_encoders.merkx import Merkx


def build(**changes) -> Merkx:
    torch.manual_seed(0)
    base = Experiment(speech_encoder="merkx", mels=4, speech_units=5, embedding=10)
    return Merkx(base.replace(**changes)).eval()


@pytest.mark.parametrize("attention", [True, False])
def test_one_caption_equals_pytorchs_own_layers(attention):
    encoder, frames = build(speech_attention=attention), torch.randn(1, 24, 4)
    weight = encoder.conv.conv.weight
    hidden = nn.functional.conv1d(frames.transpose(1, 2), weight, stride=2).transpose(1, 2)
    assert hidden.shape == (1, 10, 64)
    for layer in encoder.layers:
        hidden, _ = bidirectional(layer)(hidden)
    valid = torch.ones(1, 10, dtype=torch.bool)
    expected = encoder.attention(hidden, valid_BT=valid) if attention else hidden.mean(dim=1)
    torch.testing.assert_close(encoder(frames, torch.tensor([24])), expected)


def test_published_sizes():
    with torch.device("meta"):
        encoder = Merkx(Experiment(speech_encoder="merkx"))
    assert [layer.back.hidden_size for layer in encoder.layers] == [1024] * 4
    assert tuple(encoder.attention.w.weight.shape) == (128, 2048)
    assert isinstance(encoder.out, nn.Identity)
