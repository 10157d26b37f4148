"""What every speech encoder must do; a new file in `trainables/speech_encoders/` is covered."""

import pytest
import torch

from data_shards.errors import UsageError
from trainables import components
from trainables.experiment import Experiment
from trainables.speech_encoders import speech_encoder

ENCODERS = components.names("speech_encoders")
LENGTHS = [1, 2, 7, 8, 9, 15, 33, 64]


def build(name, *, attention=True):
    torch.manual_seed(0)
    experiment = Experiment(
        speech_encoder=name, embedding=16, speech_attention_hidden=8, mels=6,
        speech_attention=attention,
    )  # fmt: skip
    return speech_encoder(name)(experiment).eval()


def captions(lengths, *, frames=None, noise=0.0):
    """Random captions, each the same at any place; what is behind its end is `noise`."""
    frames_BTF = torch.full((len(lengths), frames or max(lengths), 6), noise)
    for row, length in enumerate(lengths):
        generator = torch.Generator().manual_seed(length)
        frames_BTF[row, :length] = torch.randn(length, 6, generator=generator)
    return frames_BTF, torch.tensor(lengths)


def test_the_known_encoders_are_found():
    assert "pyramid_bigru" in ENCODERS


@pytest.mark.parametrize("name", ENCODERS)
def test_version_is_a_literal(name):
    assert components.constant("speech_encoders", name, "VERSION") >= 1


@pytest.mark.parametrize("attention", [True, False])
@pytest.mark.parametrize("name", ENCODERS)
def test_embeddings_have_unit_norm_at_any_length(name, attention):
    embedding = build(name, attention=attention)(*captions(LENGTHS))
    assert embedding.shape == (len(LENGTHS), 16)
    torch.testing.assert_close(embedding.norm(dim=1), torch.ones(len(LENGTHS)))


@pytest.mark.parametrize("attention", [True, False])
@pytest.mark.parametrize("name", ENCODERS)
def test_padding_has_no_influence(name, attention):
    encoder = build(name, attention=attention)
    expected = encoder(*captions(LENGTHS))
    for frames, noise in ((65, 0.0), (71, 3.0), (200, -1e3)):
        padded = encoder(*captions(LENGTHS, frames=frames, noise=noise))
        torch.testing.assert_close(padded, expected, atol=1e-5, rtol=0)


@pytest.mark.parametrize("attention", [True, False])
@pytest.mark.parametrize("name", ENCODERS)
def test_each_caption_alone_gives_the_same(name, attention):
    encoder = build(name, attention=attention)
    together = encoder(*captions(LENGTHS))
    alone = torch.cat([encoder(*captions([length])) for length in LENGTHS])
    torch.testing.assert_close(alone, together, atol=1e-5, rtol=0)


@pytest.mark.parametrize("name", ENCODERS)
def test_the_order_of_the_batch_stays(name):
    encoder = build(name)
    shuffled = [33, 1, 64, 9, 2, 15, 8, 7]
    place = [LENGTHS.index(length) for length in shuffled]
    found = encoder(*captions(shuffled))
    torch.testing.assert_close(found, encoder(*captions(LENGTHS))[place], atol=1e-5, rtol=0)


@pytest.mark.parametrize("name", ENCODERS)
def test_every_valid_frame_counts_and_every_parameter_learns(name):
    encoder = build(name)
    frames_BTF, length_B = captions([9, 16], frames=20)
    frames_BTF.requires_grad_()
    encoder(frames_BTF, length_B)[:, 0].sum().backward()
    reached_BT = frames_BTF.grad.abs().sum(dim=2) > 0
    assert torch.equal(reached_BT, torch.arange(20)[None] < length_B[:, None])
    assert all(p.grad.isfinite().all() for p in encoder.parameters())
    assert all(p.grad.any() for name, p in encoder.named_parameters() if name != "attention.v.bias")


def test_an_unknown_encoder_is_refused_with_a_guess():
    with pytest.raises(UsageError, match="Did you mean 'pyramid_bigru'"):
        speech_encoder("pyramid_gru")
