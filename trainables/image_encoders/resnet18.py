"""ResNet-18 with ImageNet weights (He et al. 2016), from torchvision."""

from torchvision.models import ResNet18_Weights, resnet18

from trainables.image_encoders.resnet import ResNet

VERSION = 1
PRETRAINED = True
# The only set there is.
WEIGHTS = ResNet18_Weights.IMAGENET1K_V1


class ResNet18(ResNet):
    """Basic blocks in each stage: 2, 2, 2 and 2."""

    channels16 = 256
    channels32 = 512
    channels_head = 512
    rounds_up = True

    def __init__(self) -> None:
        super().__init__(resnet18, WEIGHTS)


BACKBONE = ResNet18
