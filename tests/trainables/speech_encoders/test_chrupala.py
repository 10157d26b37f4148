import math

import pytest
import torch
from torch import nn

from tests import made
from trainables.checkpoints import Checkpoints
from trainables.experiment import Experiment
from trainables.model import DualEncoder, initialise
from trainables.speech_encoders.chrupala import Chrupala, Highway, ScalarAttention
from trainables.training import train

EXPERIMENT = Experiment(speech_encoder="chrupala", mels=4, speech_units=6, embedding=6)


def test_one_unit_worked_by_hand():
    """Two frames of one caption, two microsteps each."""
    layer = Highway(1, units=1)
    with torch.no_grad():
        layer.weight_input[:] = torch.tensor([[0.5], [0.25]])
        layer.weight_state[:] = torch.tensor([[[0.3], [0.2]], [[-0.7], [0.4]]])
        layer.bias[:] = torch.tensor([[0.1, -2.0], [0.05, -2.0]])
    found = layer.eval()(torch.tensor([[1.0], [-2.0]]), sizes=[1, 1])

    def step(state, new, transform):
        return state + (math.tanh(new) - state) / (1 + math.exp(-transform))

    expected, state = [], 0.0
    for x in (1.0, -2.0):
        state = step(state, 0.5 * x + 0.1 + 0.3 * state, 0.25 * x - 2 + 0.2 * state)
        state = step(state, 0.05 - 0.7 * state, -2 + 0.4 * state)
        expected.append(state)
    assert found[:, 0].tolist() == pytest.approx(expected, abs=1e-6)


def slow(layer, input_TD, kept_D, kept_U):
    """One caption, frame by frame, with given dropout."""
    units, states = layer.units, []
    state = torch.zeros(units)
    for x in input_TD:
        for step in range(2):
            gate = layer.weight_state[step] @ (state * kept_U) + layer.bias[step]
            if step == 0:
                gate = gate + layer.weight_input @ (x * kept_D)
            new, transform = gate[:units].tanh(), gate[units:].sigmoid()
            state = new * transform + state * (1 - transform)
        states.append(state)
    return torch.stack(states)


@pytest.mark.parametrize("training", [True, False])
def test_packed_captions_equal_each_alone_with_one_draw_of_dropout_over_time(training):
    torch.manual_seed(0)
    layer, lengths = Highway(3, units=4).train(training), [5, 3, 1]
    captions = [torch.randn(length, 3) for length in lengths]
    packed = nn.utils.rnn.pack_sequence(captions)
    torch.manual_seed(7)
    found = layer(packed.data, sizes=packed.batch_sizes.tolist())
    torch.manual_seed(7)
    kept_B3 = nn.functional.dropout(torch.ones(3, 3), 0.25, training)
    kept_B4 = nn.functional.dropout(torch.ones(12, 4), 0.1, training)[:3]
    assert not training or not (kept_B3.all() or kept_B4.all())
    unpacked, _ = nn.utils.rnn.pad_packed_sequence(
        nn.utils.rnn.PackedSequence(found, packed.batch_sizes), batch_first=True
    )
    for row, caption in enumerate(captions):
        expected = slow(layer, caption, kept_B3[row], kept_B4[row])
        torch.testing.assert_close(unpacked[row, : len(caption)], expected)


def test_the_whole_encoder_equals_its_parts_on_one_caption():
    torch.manual_seed(0)
    encoder, frames = Chrupala(EXPERIMENT).eval(), torch.randn(1, 20, 4)
    weight = encoder.conv.conv.weight
    hidden = nn.functional.conv1d(frames.transpose(1, 2), weight, stride=2)[0].t()
    hidden = slow(encoder.layers[0], hidden, torch.ones(64), torch.ones(6))
    for layer in encoder.layers[1:]:
        hidden = hidden + slow(layer, hidden, torch.ones(6), torch.ones(6))
    score = torch.stack([encoder.attention.v(encoder.attention.w(h).tanh()) for h in hidden])
    expected = (score.exp() / score.exp().sum() * hidden).sum(dim=0)
    torch.testing.assert_close(encoder(frames, torch.tensor([20]))[0], expected)


def test_scalar_attention_weighs_whole_frames():
    attention = ScalarAttention(2, hidden=1)
    with torch.no_grad():
        attention.w.weight[:], attention.w.bias[:] = torch.tensor([[1.0, 0.0]]), 0
        attention.v.weight[:] = 100
    hidden = torch.tensor([[[1.0, 5.0], [-1.0, 7.0], [9.0, 9.0]]])
    valid = torch.tensor([[True, True, False]])
    assert attention(hidden, valid_BT=valid)[0].tolist() == pytest.approx([1.0, 5.0])
    assert attention.weights(hidden, valid_BT=valid)[0, :, 0].tolist() == pytest.approx([1, 0, 0])


def test_transform_gates_begin_nearly_closed_in_a_trial_too():
    model = DualEncoder(EXPERIMENT.replace(image_encoder="small", image_size=64))
    initialise(model, 3)
    for layer in model.speech.layers:
        assert (layer.bias[:, 6:] == -2).all()
        assert layer.bias[:, :6].unique().numel() == 12


def test_dropout_follows_the_generator_that_a_checkpoint_holds_and_ends_in_evaluation():
    torch.manual_seed(0)
    encoder, batch = Chrupala(EXPERIMENT).train(), (torch.randn(3, 9, 4), torch.tensor([9, 9, 4]))
    state = torch.get_rng_state()
    first, second = encoder(*batch), encoder(*batch)
    torch.set_rng_state(state)
    assert torch.equal(encoder(*batch), first)
    assert not torch.equal(first, second)
    encoder.eval()
    assert torch.equal(encoder(*batch), encoder(*batch))


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("training")
    return {"data": made.make(folder / "tones", per_class=2), "cache": folder / "cache"}


TRIAL = EXPERIMENT.replace(
    image_encoder="small", image_size=64, views="one", mels=40, batch_size=8, epochs=2
)


def test_a_run_with_dropout_that_was_stopped_ends_the_same(place, tmp_path):
    whole = list(train(TRIAL, **place, checkpoints=str(tmp_path / "whole")))
    stopped = train(TRIAL, **place, checkpoints=str(tmp_path / "stopped"))
    next(stopped)
    stopped.close()
    torch.manual_seed(99)
    again = list(train(TRIAL, **place, checkpoints=str(tmp_path / "stopped")))
    assert [report.loss for report in again] == [report.loss for report in whole]
    weights = [Checkpoints(str(tmp_path / n)).resume()["model"] for n in ("whole", "stopped")]
    assert all(torch.equal(weights[0][key], weights[1][key]) for key in weights[0])


def test_arms_share_the_draws_of_dropout(place, tmp_path):
    states = []
    for attention in ("B3", "none"):
        arm, folder = TRIAL.replace(image_attention=attention), str(tmp_path / attention)
        next(train(arm, **place, checkpoints=folder))
        states.append(Checkpoints(folder).resume()["rng"])
    assert torch.equal(*states)


def test_the_number_of_threads_changes_no_bit():
    torch.manual_seed(0)
    sizes = [*range(40, 0, -1)]
    layer, input_ND = Highway(24, units=64).eval(), torch.randn(sum(sizes), 24)
    results, before = [], torch.get_num_threads()
    for threads in (1, 2):
        torch.set_num_threads(threads)
        found = layer(input_ND, sizes=sizes)
        results.append([found, *torch.autograd.grad(found.square().sum(), [*layer.parameters()])])
    torch.set_num_threads(before)
    assert all(torch.equal(one, two) for one, two in zip(*results, strict=True))
