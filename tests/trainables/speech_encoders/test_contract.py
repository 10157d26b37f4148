"""What every speech encoder must do; a new file in `trainables/speech_encoders/` is covered."""

import dataclasses

import pytest
import torch

from data_shards.errors import UsageError
from trainables import components
from trainables.experiment import Experiment
from trainables.model import DualEncoder, initialise
from trainables.speech_encoders import speech_encoder

ENCODERS = components.names("speech_encoders")
LENGTHS = [1, 2, 7, 8, 9, 15, 33, 64]

# Parameters at the defaults: 40 bands, 2048 values of an embedding. Convolutions: inputs × width ×
# filters + biases. A direction of recurrent layers: gates × units × (inputs + units + 2 biases).
PUBLISHED = {
    # (80 | 4096 | 4096) + 1026 with 3 gates of 1024 units, twice; attention 2048 → 1024 → 2048
    "pyramid_bigru": 2 * 3072 * (1106 + 5122 + 5122) + 2048 * 1024 * 2 + 1024 + 2048,
    # 12,864 + 819,712 + 13,108,224; 1024 → 2048
    "harwath": 40 * 5 * 64 + 64 + 64 * 25 * 512 + 512 + 512 * 25 * 1024 + 1024 + 2_099_200,
    # no bias; (64 | 2048 × 3) + 1026; attention 2048 → 128 → 2048
    "merkx": 40 * 6 * 64 + 2 * 3072 * (1090 + 3 * 3074) + 2048 * 128 * 2 + 128 + 2048,
    # (40 | 2048 | 2048) + 514 with 4 gates of 512 units, twice; 1024 → 2048
    "scharenborg": 2 * 2048 * (554 + 2562 + 2562) + 2_099_200,
    # no bias; 2 × 1024 rows: (64 | 1024 × 3) inputs and 2 × (1024 states and a bias) in each layer;
    # attention 1024 → 128 → 1; 1024 → 2048
    "chrupala": 40 * 6 * 64 + 2048 * (64 + 3 * 1024 + 4 * 2050) + 131_200 + 129 + 2_099_200,
    # attention 768 → 1024 → 768; 768 → 2048
    "wav2vec2": 768 * 1024 * 2 + 1024 + 768 + 768 * 2048 + 2048,
    "hubert": 3_149_568,
}


def build(name, **changes):
    torch.manual_seed(0)
    return speech_encoder(name)(small(name, **changes)).eval()


def small(name, **changes) -> Experiment:
    return Experiment(
        speech_encoder=name, embedding=16, speech_attention_hidden=8, speech_units=32, mels=6,
        image_encoder="small", image_size=64, **changes,
    )  # fmt: skip


def literal(name, constant):
    return components.constant("speech_encoders", name, constant)


WAYS = [
    (name, attention)
    for name in ENCODERS
    for attention in ([True, False] if "speech_attention" in literal(name, "READS") else [True])
]
each = pytest.mark.parametrize("name", ENCODERS)
each_way = pytest.mark.parametrize(("name", "attention"), WAYS)


def captions(name, lengths, *, frames=None, noise=0.0):
    """Random captions, each the same at any place; what is behind its end is `noise`."""
    width = (literal(name, "FRONT") or {"width": 6})["width"]
    frames_BTF = torch.full((len(lengths), frames or max(lengths), width), noise)
    for row, length in enumerate(lengths):
        generator = torch.Generator().manual_seed(length)
        frames_BTF[row, :length] = torch.randn(length, width, generator=generator)
    return frames_BTF, torch.tensor(lengths)


def test_the_known_encoders_are_found():
    assert set(PUBLISHED) <= set(ENCODERS)


@each
def test_what_planning_reads_are_literals(name):
    assert literal(name, "VERSION") >= 1
    assert set(literal(name, "READS")) <= {spec.name for spec in dataclasses.fields(Experiment)}
    assert literal(name, "FRONT") is None or {"bundle", "layer", "width"} <= set(
        literal(name, "FRONT")
    )


@each
def test_published_sizes_are_the_defaults(name):
    with torch.device("meta"):
        encoder = speech_encoder(name)(Experiment(speech_encoder=name))
    if name in PUBLISHED:
        assert sum(parameter.numel() for parameter in encoder.parameters()) == PUBLISHED[name]


@each
def test_a_field_changes_the_encoder_only_if_it_is_listed(name):
    changes = {"speech_attention": False, "speech_attention_hidden": 4, "speech_units": 16}
    base = {key: value.shape for key, value in build(name).state_dict().items()}
    for field, value in changes.items():
        encoder = speech_encoder(name)(small(name).replace(**{field: value}))
        found = {key: value.shape for key, value in encoder.state_dict().items()}
        assert (found != base) == (field in literal(name, "READS")), field


@each_way
def test_embeddings_are_finite_at_any_length(name, attention):
    embedding = build(name, speech_attention=attention)(*captions(name, LENGTHS))
    assert embedding.shape == (len(LENGTHS), 16)
    assert embedding.isfinite().all()


@each
def test_one_frame_gives_an_embedding_however_time_is_reduced(name):
    embedding = build(name)(*captions(name, [1]))
    assert embedding.shape == (1, 16)
    assert embedding.isfinite().all()
    assert embedding.any()


@each_way
def test_padding_has_no_influence(name, attention):
    encoder = build(name, speech_attention=attention)
    expected = encoder(*captions(name, LENGTHS))
    for frames, noise in ((65, 0.0), (71, 3.0), (200, -1e3), (66, float("nan"))):
        padded = encoder(*captions(name, LENGTHS, frames=frames, noise=noise))
        torch.testing.assert_close(padded, expected, atol=1e-5, rtol=0)


@each_way
def test_each_caption_alone_gives_the_same(name, attention):
    encoder = build(name, speech_attention=attention)
    together = encoder(*captions(name, LENGTHS))
    alone = torch.cat([encoder(*captions(name, [length])) for length in LENGTHS])
    torch.testing.assert_close(alone, together, atol=1e-5, rtol=0)


@each
def test_the_order_of_the_batch_stays(name):
    encoder = build(name)
    shuffled = [33, 1, 64, 9, 2, 15, 8, 7]
    place = [LENGTHS.index(length) for length in shuffled]
    expected = encoder(*captions(name, LENGTHS))[place]
    torch.testing.assert_close(encoder(*captions(name, shuffled)), expected, atol=1e-5, rtol=0)


@each_way
def test_every_valid_frame_counts_and_every_parameter_learns(name, attention):
    encoder = build(name, speech_attention=attention)
    frames_BTF, length_B = captions(name, [9, 16], frames=20)
    frames_BTF.requires_grad_()
    encoder(frames_BTF, length_B).square().sum().backward()
    reached_BT = frames_BTF.grad.abs().sum(dim=2) > 0
    assert torch.equal(reached_BT, torch.arange(20)[None] < length_B[:, None])
    assert all(p.grad.isfinite().all() for p in encoder.parameters())
    # A softmax over time is the same with any bias.
    assert all(p.grad.any() for name, p in encoder.named_parameters() if name != "attention.v.bias")


@each
def test_it_trains_in_bfloat16(name):
    encoder, batch = build(name), captions(name, LENGTHS)
    exact = encoder(*batch)
    with torch.autocast("cpu", torch.bfloat16):
        found = encoder(*batch)
    torch.testing.assert_close(found.float(), exact, atol=0.1, rtol=0.1)
    found.float().square().sum().backward()
    assert all(p.grad.isfinite().all() for p in encoder.parameters())


@each
def test_weights_come_from_the_seed_alone(name):
    states = []
    for noise in (1, 2):
        torch.manual_seed(noise)
        model = DualEncoder(small(name))
        initialise(model, 5)
        states.append(model.speech.state_dict())
    assert all(torch.equal(states[0][key], states[1][key]) for key in states[0])


def test_an_unknown_encoder_is_refused_with_a_guess():
    with pytest.raises(UsageError, match="Did you mean 'pyramid_bigru'"):
        speech_encoder("pyramid_gru")
