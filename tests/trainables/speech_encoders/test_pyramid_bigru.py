import pytest
import torch
from torch import nn

from trainables.experiment import Experiment
from trainables.speech_encoders import pyramid_bigru
from trainables.speech_encoders.pyramid_bigru import (
    BiGRU,
    PyramidBiGRU,
    packed,
    pair_frames,
    reorder,
    reversal,
    step_by_step,
)


def build(**changes) -> PyramidBiGRU:
    torch.manual_seed(0)
    base = Experiment(embedding=12, speech_attention_hidden=5, mels=4)
    return PyramidBiGRU(base.replace(**changes)).eval()


def bidirectional(layer: BiGRU) -> nn.GRU:
    """PyTorch's own bidirectional GRU with the same weights."""
    gru = nn.GRU(
        layer.ahead.input_size, layer.ahead.hidden_size, batch_first=True, bidirectional=True
    )
    weights = dict(layer.ahead.state_dict())
    weights |= {f"{name}_reverse": value for name, value in layer.back.state_dict().items()}
    gru.load_state_dict(weights)
    return gru


def test_one_caption_equals_a_plain_pyramid_of_bidirectional_grus():
    encoder, frames = build(), torch.randn(1, 24, 4)
    hidden = frames
    for layer in (encoder.layer1, encoder.layer2, encoder.layer3):
        hidden = torch.stack(
            [torch.cat([a, b]) for a, b in zip(hidden[0, ::2], hidden[0, 1::2], strict=True)]
        )
        hidden, _ = bidirectional(layer)(hidden[None])
    assert hidden.shape == (1, 3, 12)  # T / 8
    expected = encoder.attention(hidden, valid_BT=torch.ones(1, 3, dtype=torch.bool))
    torch.testing.assert_close(encoder(frames, torch.tensor([24])), expected)


def test_without_attention_it_is_the_mean_over_time():
    encoder, frames = build(speech_attention=False), torch.randn(1, 8, 4)
    hidden = frames
    for layer in (encoder.layer1, encoder.layer2, encoder.layer3):
        hidden, _ = bidirectional(layer)(hidden.reshape(1, hidden.shape[1] // 2, -1))
    torch.testing.assert_close(encoder(frames, torch.tensor([8])), hidden.mean(dim=1))


def test_an_odd_length_is_joined_by_a_frame_of_zeros():
    encoder, frames = build(), torch.randn(1, 7, 4)
    longer = nn.functional.pad(frames, (0, 0, 0, 1))
    found = encoder(frames, torch.tensor([7]))
    torch.testing.assert_close(found, encoder(longer, torch.tensor([8])))


def alone(gru, hidden_BTD, length_B):
    """Each caption by itself, unpadded; zeros behind."""
    padded = []
    for hidden_TD, length in zip(hidden_BTD, length_B.tolist(), strict=True):
        found_1TH, _ = gru(hidden_TD[None, :length])
        padded.append(nn.functional.pad(found_1TH[0], (0, 0, 0, len(hidden_TD) - length)))
    return torch.stack(padded)


def gradients(out_BTH, inputs):
    """Of an uneven weighting of all outputs."""
    weight = torch.randn(out_BTH.shape, generator=torch.Generator().manual_seed(3))
    return torch.autograd.grad((out_BTH * weight).sum(), inputs)


@pytest.mark.parametrize("run", [step_by_step, packed])
@pytest.mark.parametrize("lengths", [[30, 29, 17, 17, 5, 2, 1], [1], [4, 4], [30, 1, 1]])
def test_both_ways_equal_each_caption_alone_forward_and_backward(run, lengths):
    torch.manual_seed(0)
    layer, length_B = BiGRU(6, units=5), torch.tensor(lengths)
    hidden_BTD = torch.randn(len(lengths), 32, 6, requires_grad=True)
    gru = bidirectional(layer)
    expected = alone(gru, hidden_BTD, length_B)
    found = run(layer, hidden_BTD, length_B=length_B)
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-5)
    own = gradients(found, [hidden_BTD, *layer.parameters()])
    for one, other in zip(own, gradients(expected, [hidden_BTD, *gru.parameters()]), strict=True):
        torch.testing.assert_close(one, other, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize(("device", "expected"), [("cpu", "step_by_step"), ("meta", "packed")])
def test_cpus_and_others_each_take_their_way(monkeypatch, device, expected):
    taken = []
    for name in ("step_by_step", "packed"):

        def run(layer, hidden_BTD, length_B, name=name):
            taken.append(name)
            return hidden_BTD

        monkeypatch.setattr(pyramid_bigru, name, run)
    BiGRU(6, units=5)(torch.empty(1, 4, 6, device=device), length_B=torch.tensor([4]))
    assert taken == [expected]


def test_the_whole_encoder_is_the_same_both_ways(monkeypatch):
    encoder = build()
    length_B = torch.randint(1, 60, (17,), generator=torch.Generator().manual_seed(1))
    frames_BTF = torch.randn(17, 60, 4)
    results = []
    for run in (step_by_step, packed):
        monkeypatch.setattr(pyramid_bigru, "step_by_step", run)
        encoder.zero_grad()
        embedding = encoder(frames_BTF, length_B)
        embedding[:, 0].sum().backward()
        results.append([embedding.detach(), *(p.grad.clone() for p in encoder.parameters())])
    for one, other in zip(*results, strict=True):
        torch.testing.assert_close(one, other, atol=1e-5, rtol=1e-4)


def test_reversal_keeps_padding_in_place():
    hidden = torch.arange(1.0, 5.0).view(1, 4, 1).repeat(2, 1, 1)
    found = reorder(hidden, reversal(torch.tensor([3, 4]), frames=4))
    assert found[:, :, 0].tolist() == [[3, 2, 1, 4], [4, 3, 2, 1]]


def test_pair_frames():
    hidden = torch.tensor([[[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]])
    assert pair_frames(hidden).tolist() == [[[1, 2, 3, 4], [5, 6, 0, 0]]]


def test_sizes_of_the_thesis():
    with torch.device("meta"):
        encoder = PyramidBiGRU(Experiment())
    assert encoder.layer1.ahead.input_size == 80
    assert encoder.layer3.back.input_size == 4096
    assert encoder.layer3.back.hidden_size == 1024
    assert tuple(encoder.attention.w.weight.shape) == (1024, 2048)
    assert tuple(encoder.attention.v.weight.shape) == (2048, 1024)
