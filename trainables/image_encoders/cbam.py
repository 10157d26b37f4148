"""Convolutional block attention module (Woo et al. 2018; thesis Eqs 4.1–4.3).

No biases and no batch normalisation, as in the author's code.
"""

import torch
from jaxtyping import Float
from torch import Tensor, nn


class CBAM(nn.Module):
    """F' = Mc(F) ⊗ F, F'' = Ms(F') ⊗ F' (Eq. 4.1); the map's shape stays."""

    def __init__(self, channels: int, *, reduction: int, kernel: int) -> None:
        super().__init__()
        self.channel = ChannelAttention(channels, reduction=reduction)
        self.spatial = SpatialAttention(kernel)

    def forward(self, map_BCHW: Float[Tensor, "B C H W"]) -> Float[Tensor, "B C H W"]:
        map_BCHW = self.channel(map_BCHW) * map_BCHW
        refined_BCHW: Tensor = self.spatial(map_BCHW) * map_BCHW
        return refined_BCHW


class ChannelAttention(nn.Module):
    """σ(W1 ReLU(W0 avg) + W1 ReLU(W0 max)) over the map's cells (Eq. 4.2).

    The hidden layer has channels // reduction units, at least one.
    """

    def __init__(self, channels: int, *, reduction: int) -> None:
        super().__init__()
        hidden = max(1, channels // reduction)
        self.squeeze = nn.Linear(channels, hidden, bias=False)
        self.excite = nn.Linear(hidden, channels, bias=False)

    def forward(self, map_BCHW: Float[Tensor, "B C H W"]) -> Float[Tensor, "B C 1 1"]:
        average_BC, maximum_BC = map_BCHW.mean((2, 3)), map_BCHW.amax((2, 3))
        score_BC = self._mlp(average_BC) + self._mlp(maximum_BC)
        return score_BC.sigmoid()[:, :, None, None]

    def _mlp(self, pooled_BC: Float[Tensor, "B C"]) -> Float[Tensor, "B C"]:
        score_BC: Tensor = self.excite(self.squeeze(pooled_BC).relu())
        return score_BC


class SpatialAttention(nn.Module):
    """σ(convolution of [avg; max]) over the map's channels (Eq. 4.3); `kernel` is odd."""

    def __init__(self, kernel: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(2, 1, kernel, padding=kernel // 2, bias=False)

    def forward(self, map_BCHW: Float[Tensor, "B C H W"]) -> Float[Tensor, "B 1 H W"]:
        pooled = [map_BCHW.mean(1, keepdim=True), map_BCHW.amax(1, keepdim=True)]
        score_B1HW: Tensor = self.conv(torch.cat(pooled, dim=1))
        return score_B1HW.sigmoid()
