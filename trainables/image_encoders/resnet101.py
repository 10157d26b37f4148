"""ResNet-101 with ImageNet weights (He et al. 2016; thesis §4.1.1), from torchvision."""

import pickle
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor
from torchvision.models import ResNet101_Weights, resnet101

from data_shards.errors import DataError
from trainables.image_encoders.base import Backbone

VERSION = 2
PRETRAINED = True
# The first weights, which the thesis' PyTorch 1.4 had; V2 is of a later training recipe.
WEIGHTS = ResNet101_Weights.IMAGENET1K_V1


class ResNet101(Backbone):
    """Stride 16 ends behind the third bottleneck stage, stride 32 behind the fourth.

    Raises:
        DataError: the weights can neither be found nor downloaded.
    """

    mean = (0.485, 0.456, 0.406)
    std = (0.229, 0.224, 0.225)
    channels16 = 1024
    channels32 = 2048
    channels_head = 2048

    def __init__(self) -> None:
        super().__init__()
        network = _network()
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


def _network() -> Any:
    """torchvision's network with its weights, from the cache of torch.hub or a download."""
    file = Path(torch.hub.get_dir()) / "checkpoints" / WEIGHTS.url.rsplit("/", 1)[-1]
    network = resnet101(weights=None)
    try:
        state = WEIGHTS.get_state_dict(progress=False, check_hash=True, weights_only=True)
        network.load_state_dict(state)
    except (OSError, RuntimeError, EOFError, pickle.UnpicklingError) as error:
        reason = str(error).split("\n", 1)[0]
        raise DataError(
            f"the ImageNet weights of resnet101 cannot be had ({type(error).__name__}: {reason}). "
            f"Download {WEIGHTS.url} and put it at {file}."
        ) from error
    return network


BACKBONE = ResNet101
