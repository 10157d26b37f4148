"""ResNet-152 with ImageNet weights (He et al. 2016), from torchvision."""

from torchvision.models import ResNet152_Weights, resnet152

from trainables.image_encoders.resnet import ResNet

VERSION = 1
PRETRAINED = True
# The first weights, as of ResNet-101; V2 is of a later training recipe.
WEIGHTS = ResNet152_Weights.IMAGENET1K_V1


class ResNet152(ResNet):
    """Bottleneck blocks in each stage: 3, 8, 36 and 3."""

    channels16 = 1024
    channels32 = 2048
    channels_head = 2048
    rounds_up = True

    def __init__(self) -> None:
        super().__init__(resnet152, WEIGHTS)


BACKBONE = ResNet152
