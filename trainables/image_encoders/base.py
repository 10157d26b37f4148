"""What every image backbone is: a network in three parts, so that attention fits between them.

Shapes: B images, H×W pixels or cells, C channels.
"""

from abc import ABC, abstractmethod
from typing import ClassVar

from jaxtyping import Float
from torch import Tensor, nn

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)


class Backbone(nn.Module, ABC):
    """A convolutional network, cut behind its last layer at stride 16 and at stride 32.

    Calling a subclass without arguments builds it, with its weights if it is pretrained; within
    `torch.device("meta")` without them. The channels, and `rounds_up` of a pretrained one, are
    literals in the subclass' own file: planning reads them there.
    """

    mean: ClassVar[tuple[float, float, float]]
    """Mean of each colour, on a scale from 0 to 1, that the network expects subtracted."""
    std: ClassVar[tuple[float, float, float]]
    """What it expects the rest to be divided by."""
    channels16: ClassVar[int]
    """Channels of the map at stride 16."""
    channels32: ClassVar[int]
    """Channels of the map at stride 32."""
    channels_head: ClassVar[int]
    """Channels behind the head, which are pooled."""
    rounds_up: ClassVar[bool]
    """Whether a side that the stride does not divide gives one cell more, or loses the rest; of
    pretrained backbones, whose maps are cached."""

    @abstractmethod
    def stride16(self, pixels_B3HW: Float[Tensor, "B 3 H W"]) -> Float[Tensor, "B C h w"]:
        """Normalised pixels → map at stride 16."""

    @abstractmethod
    def stride32(self, map_BCHW: Float[Tensor, "B C H W"]) -> Float[Tensor, "B D h w"]:
        """Map at stride 16 → map at stride 32."""

    @abstractmethod
    def head(self, map_BCHW: Float[Tensor, "B C H W"]) -> Float[Tensor, "B D H W"]:
        """Map at stride 32 → the map that is pooled (the same map where there is no head)."""
