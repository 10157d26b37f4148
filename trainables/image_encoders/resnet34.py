"""ResNet-34 with ImageNet weights (He et al. 2016), from torchvision."""

from torchvision.models import ResNet34_Weights, resnet34

from trainables.image_encoders.resnet import ResNet

VERSION = 1
PRETRAINED = True
# The only set there is.
WEIGHTS = ResNet34_Weights.IMAGENET1K_V1


class ResNet34(ResNet):
    """Basic blocks in each stage: 3, 4, 6 and 3."""

    channels16 = 256
    channels32 = 512
    channels_head = 512
    rounds_up = True

    def __init__(self) -> None:
        super().__init__(resnet34, WEIGHTS)


BACKBONE = ResNet34
