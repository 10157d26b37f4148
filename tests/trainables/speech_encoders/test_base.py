import pytest
import torch
from torch import nn

from trainables.speech_encoders.base import (
    StridedConvolution,
    VectorialAttention,
    longest_first,
    masked_mean,
    projection,
    valid_frames,
)


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


def test_captions_run_longest_first_without_what_is_padding_in_all_and_come_back_in_order():
    frames = torch.tensor([[1.0, 9.0, 9.0, 9.0], [2.0, 3.0, 4.0, 9.0]])[:, :, None]

    def run(frames_BTF, length_B):
        assert length_B.tolist() == [3, 1]
        assert frames_BTF[:, :, 0].tolist() == [[2, 3, 4], [1, 0, 0]]
        return frames_BTF.sum(dim=1)

    assert longest_first(run, frames, torch.tensor([1, 3])).tolist() == [[1.0], [9.0]]


def test_a_projection_stands_only_where_sizes_differ():
    assert not list(projection(6, 6).parameters())
    assert tuple(projection(6, 4).weight.shape) == (4, 6)


@pytest.mark.parametrize(
    ("length", "windows"), [(1, 1), (5, 1), (6, 1), (7, 2), (8, 2), (9, 3), (30, 13)]
)
def test_the_convolution_takes_every_frame_its_last_window_ending_in_zeros(length, windows):
    torch.manual_seed(0)
    convolution, frames = StridedConvolution(3), torch.randn(1, length, 3)
    found, count = convolution(frames, length_B=torch.tensor([length]))
    assert count.tolist() == [windows]
    padded = nn.functional.pad(frames, (0, 0, 0, 8))[0]
    weight_OFW = convolution.conv.weight
    expected = torch.stack(
        [torch.einsum("ofw,wf->o", weight_OFW, padded[2 * n : 2 * n + 6]) for n in range(windows)]
    )
    assert 2 * windows + 4 >= length  # the last window reaches the last frame
    torch.testing.assert_close(found[0, :windows], expected)
