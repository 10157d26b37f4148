import pytest
import torch

from trainables.experiment import Experiment
from trainables.speech_encoders.scharenborg import Scharenborg


def slow(encoder, frames_TF):
    """A caption by itself, unpadded: pairs behind the first layer and behind the second."""
    hidden, _ = encoder.layer1(frames_TF[None])
    for layer in (encoder.layer2, encoder.layer3):
        frames = [*hidden[0], *([torch.zeros(hidden.shape[2])] if hidden.shape[1] % 2 else [])]
        pairs = [torch.cat([a, b]) for a, b in zip(frames[::2], frames[1::2], strict=True)]
        hidden, _ = layer(torch.stack(pairs)[None])
    return hidden[0].mean(dim=0)


@pytest.mark.parametrize("lengths", [[1], [2], [7, 16, 3, 1], [8, 8]])
def test_it_equals_each_caption_alone(lengths):
    torch.manual_seed(0)
    experiment = Experiment(speech_encoder="scharenborg", mels=4, speech_units=5, embedding=10)
    encoder, frames_BTF = Scharenborg(experiment), torch.randn(len(lengths), max(lengths), 4)
    found = encoder(frames_BTF, torch.tensor(lengths))
    for row, length in enumerate(lengths):
        expected = slow(encoder, frames_BTF[row, :length])
        torch.testing.assert_close(found[row], expected, atol=1e-6, rtol=1e-5)


def test_default_sizes():
    with torch.device("meta"):
        encoder = Scharenborg(Experiment(speech_encoder="scharenborg"))
    sizes = [(lstm.input_size, lstm.hidden_size) for lstm in list(encoder.children())[:3]]
    assert sizes == [(40, 512), (2048, 512), (2048, 512)]
