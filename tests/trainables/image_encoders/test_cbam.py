import pytest
import torch
from torch import nn

from trainables.image_encoders.cbam import CBAM, ChannelAttention, SpatialAttention


def sigmoid(value: float) -> float:
    return float(torch.tensor(value).sigmoid())


def test_channel_attention_worked_by_hand():
    attention = ChannelAttention(2, reduction=2)
    with torch.no_grad():
        attention.squeeze.weight[:] = torch.tensor([[1.0, -1.0]])
        attention.excite.weight[:] = torch.tensor([[2.0], [-1.0]])
    map_BCHW = torch.tensor([[[[1.0, 3.0]], [[0.0, 1.0]]]])
    # Averages (2, 0.5): ReLU(1.5); maxima (3, 1): ReLU(2); summed 3.5 before the sigmoid.
    assert attention(map_BCHW).flatten().tolist() == pytest.approx([sigmoid(7), sigmoid(-3.5)])


def test_spatial_attention_worked_by_hand():
    attention = SpatialAttention(1)
    with torch.no_grad():
        attention.conv.weight[:] = torch.tensor([2.0, -1.0]).view(1, 2, 1, 1)
    map_BCHW = torch.tensor([[[[1.0, 0.0]], [[3.0, -2.0]]]])
    # Averages (2, −1) and maxima (3, 0) over the channels.
    assert attention(map_BCHW).flatten().tolist() == pytest.approx([sigmoid(1), sigmoid(-2)])


def test_both_maps_are_applied_one_after_the_other():
    cbam, map_BCHW = CBAM(32, reduction=16, kernel=7), torch.randn(2, 32, 5, 6)
    first = cbam.channel(map_BCHW) * map_BCHW
    assert torch.equal(cbam(map_BCHW), cbam.spatial(first) * first)


@pytest.mark.parametrize("kernel", [1, 3, 7])
def test_the_shape_stays_and_no_bias_is_learned(kernel):
    cbam = CBAM(8, reduction=100, kernel=kernel)  # never fewer than one hidden unit
    assert cbam(torch.randn(3, 8, 4, 9)).shape == (3, 8, 4, 9)
    names = {name for name, _ in cbam.named_parameters()}
    assert names == {"channel.squeeze.weight", "channel.excite.weight", "spatial.conv.weight"}
    assert not any(isinstance(part, nn.BatchNorm2d) for part in cbam.modules())


def test_parameters_at_the_thesis_size():
    count = sum(p.numel() for p in CBAM(1024, reduction=16, kernel=7).parameters())
    assert count == 2 * 1024 * 64 + 2 * 49
