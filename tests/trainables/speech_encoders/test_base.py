import pytest
import torch

from trainables.speech_encoders.base import VectorialAttention, masked_mean, valid_frames


def test_valid_frames():
    found = valid_frames(torch.tensor([1, 3]), frames=3)
    assert found.tolist() == [[True, False, False], [True, True, True]]


def test_masked_mean_worked_by_hand():
    hidden = torch.tensor([[[1.0], [3.0], [100.0]], [[1.0], [2.0], [6.0]]])
    found = masked_mean(hidden, valid_BT=valid_frames(torch.tensor([2, 3]), frames=3))
    assert found.tolist() == [[2.0], [3.0]]


def test_vectorial_attention_equals_the_equations_one_frame_at_a_time():
    torch.manual_seed(0)
    attention, hidden = VectorialAttention(4, hidden=3), torch.randn(1, 5, 4)
    valid = valid_frames(torch.tensor([3]), frames=5)
    score = torch.stack(
        [
            attention.v.weight @ torch.tanh(attention.w.weight @ h + attention.w.bias)
            for h in hidden[0, :3]
        ]
    )  # the bias b_v is the same at every time and cancels
    weight = score.exp() / score.exp().sum(dim=0)
    expected = (weight * hidden[0, :3]).sum(dim=0)
    torch.testing.assert_close(attention(hidden, valid_BT=valid)[0], expected)


def test_each_feature_has_its_own_weights_over_time():
    attention = VectorialAttention(2, hidden=1)
    with torch.no_grad():
        attention.w.weight[:], attention.w.bias[:] = torch.tensor([[1.0, 0.0]]), 0
        attention.v.weight[:], attention.v.bias[:] = torch.tensor([[100.0], [-100.0]]), 0
    hidden = torch.tensor([[[1.0, 5.0], [-1.0, 7.0]]])
    found = attention(hidden, valid_BT=torch.ones(1, 2, dtype=torch.bool))
    assert found[0].tolist() == pytest.approx([1.0, 7.0])  # feature 0 at time 0, feature 1 at 1
