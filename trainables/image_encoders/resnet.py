"""What the residual networks share (He et al. 2016), from torchvision with ImageNet weights."""

from collections.abc import Callable
from typing import Any

from jaxtyping import Float
from torch import Tensor

from trainables.image_encoders.base import IMAGENET_MEAN, IMAGENET_STD, Backbone
from trainables.weights import pretrained


class ResNet(Backbone):
    """Stride 16 ends behind the third stage of blocks, stride 32 behind the fourth.

    Raises:
        DataError: the weights can neither be found nor downloaded.
    """

    mean = IMAGENET_MEAN
    std = IMAGENET_STD

    def __init__(self, build: Callable[..., Any], weights: Any) -> None:
        """`build` is torchvision's function, `weights` one of the sets that it has for it."""
        super().__init__()
        what = f"the ImageNet weights of {build.__name__}"
        network = pretrained(lambda: build(weights=None), url=weights.url, what=what)
        self.conv1, self.bn1, self.maxpool = network.conv1, network.bn1, network.maxpool
        self.layer1, self.layer2 = network.layer1, network.layer2
        self.layer3, self.layer4 = network.layer3, network.layer4

    def stride16(self, pixels_B3HW: Float[Tensor, "B 3 H W"]) -> Float[Tensor, "B C h w"]:
        map_BCHW = self.maxpool(self.bn1(self.conv1(pixels_B3HW)).relu())
        map_BCHW = self.layer3(self.layer2(self.layer1(map_BCHW)))
        assert isinstance(map_BCHW, Tensor)
        return map_BCHW

    def stride32(self, map_BCHW: Float[Tensor, "B C H W"]) -> Float[Tensor, "B D h w"]:
        map_BDHW: Tensor = self.layer4(map_BCHW)
        return map_BDHW

    def head(self, map_BCHW: Float[Tensor, "B C H W"]) -> Float[Tensor, "B D H W"]:
        return map_BCHW
