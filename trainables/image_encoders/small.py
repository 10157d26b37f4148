"""A small backbone trained from scratch, for the built-in data on a CPU (about 11 MFLOP at 192).

Our own: not in the thesis.
"""

from jaxtyping import Float
from torch import Tensor, nn

from trainables.image_encoders.base import Backbone

VERSION = 1
PRETRAINED = False


class Small(Backbone):
    """8×8 patches, then two strided 3×3 convolutions, each with batch normalisation and ReLU."""

    mean = (0.5, 0.5, 0.5)
    std = (0.5, 0.5, 0.5)
    channels16 = 48
    channels32 = 96
    channels_head = 96

    def __init__(self) -> None:
        super().__init__()
        self.patch = nn.Conv2d(3, 24, 8, stride=8, bias=False)
        self.patch_norm = nn.BatchNorm2d(24)
        self.conv16 = nn.Conv2d(24, 48, 3, stride=2, padding=1, bias=False)
        self.norm16 = nn.BatchNorm2d(48)
        self.conv32 = nn.Conv2d(48, 96, 3, stride=2, padding=1, bias=False)
        self.norm32 = nn.BatchNorm2d(96)

    def stride16(self, pixels_B3HW: Float[Tensor, "B 3 H W"]) -> Float[Tensor, "B C h w"]:
        patch_BCHW = self.patch_norm(self.patch(pixels_B3HW)).relu()
        map_BCHW: Tensor = self.norm16(self.conv16(patch_BCHW)).relu()
        return map_BCHW

    def stride32(self, map_BCHW: Float[Tensor, "B C H W"]) -> Float[Tensor, "B D h w"]:
        map_BDHW: Tensor = self.norm32(self.conv32(map_BCHW)).relu()
        return map_BDHW

    def head(self, map_BCHW: Float[Tensor, "B C H W"]) -> Float[Tensor, "B D H W"]:
        return map_BCHW


BACKBONE = Small
