"""ResNet-101 with ImageNet weights (He et al. 2016; thesis §4.1.1), from torchvision."""

from torchvision.models import ResNet101_Weights, resnet101

from trainables.image_encoders.resnet import ResNet

VERSION = 2
PRETRAINED = True
# The first weights, which the thesis' PyTorch 1.4 had; V2 is of a later training recipe.
WEIGHTS = ResNet101_Weights.IMAGENET1K_V1


class ResNet101(ResNet):
    """Bottleneck blocks in each stage: 3, 4, 23 and 3."""

    channels16 = 1024
    channels32 = 2048
    channels_head = 2048
    rounds_up = True

    def __init__(self) -> None:
        super().__init__(resnet101, WEIGHTS)


BACKBONE = ResNet101
