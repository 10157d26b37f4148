"""VGG-16 with ImageNet weights (Simonyan & Zisserman 2015), from torchvision.

Harwath et al. (2016) and Chrupała et al. (2017) took its 4,096 features of fc7.
"""

from jaxtyping import Float
from torch import Tensor, nn
from torchvision.models import VGG16_Weights, vgg16

from trainables.image_encoders.base import IMAGENET_MEAN, IMAGENET_STD, Backbone
from trainables.weights import pretrained

VERSION = 1
PRETRAINED = True
WEIGHTS = VGG16_Weights.IMAGENET1K_V1


class VGG16(Backbone):
    """Stride 16 ends before the fifth pooling, stride 32 behind it.

    The head is its own pooling to 7×7 cells, then fc6 and fc7, each with ReLU: a map of one cell.
    Their dropout works only where they are trained (`finetune=true`) in training mode, which for
    a pretrained backbone is `backbone_bn=train`; it has no batch norm of its own.

    Raises:
        DataError: the weights can neither be found nor downloaded.
    """

    mean = IMAGENET_MEAN
    std = IMAGENET_STD
    channels16 = 512
    channels32 = 512
    channels_head = 4096
    rounds_up = False

    def __init__(self) -> None:
        super().__init__()
        what = "the ImageNet weights of vgg16"
        network = pretrained(lambda: vgg16(weights=None), url=WEIGHTS.url, what=what)
        self.blocks, self.pool5 = network.features[:-1], network.features[-1]
        self.pool7 = network.avgpool
        self.fc6, self.fc7 = network.classifier[0], network.classifier[3]

    def stride16(self, pixels_B3HW: Float[Tensor, "B 3 H W"]) -> Float[Tensor, "B C h w"]:
        map_BCHW: Tensor = self.blocks(pixels_B3HW)
        return map_BCHW

    def stride32(self, map_BCHW: Float[Tensor, "B C H W"]) -> Float[Tensor, "B D h w"]:
        map_BDHW: Tensor = self.pool5(map_BCHW)
        return map_BDHW

    def head(self, map_BCHW: Float[Tensor, "B C H W"]) -> Float[Tensor, "B D 1 1"]:
        hidden_BD: Tensor = self.pool7(map_BCHW).flatten(1)
        for layer in (self.fc6, self.fc7):
            trained = self.training and layer.weight.requires_grad
            hidden_BD = nn.functional.dropout(layer(hidden_BD).relu(), training=trained)
        return hidden_BD[:, :, None, None]


BACKBONE = VGG16
