"""What every loss is: a frozen value with its own fields, callable on a batch.

A loss is part of the experiment, which is planned without torch: torch is imported inside the
methods of a loss file, not at its top.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn

Own = Mapping[str, "nn.Module"]
"""A loss' own modules, by name."""
NONE: Own = MappingProxyType({})


@dataclass(frozen=True, kw_only=True)
class Loss(ABC):
    """A loss over B paired images and captions. Subclasses add their fields and validate them."""

    name: ClassVar[str]
    unit_norm: ClassVar[bool] = True
    """Whether it takes embeddings of unit norm; else as the last layer gives them."""

    def modules(self, *, embedding: int, classes: int) -> "dict[str, nn.Module]":
        """Parts with parameters of its own, by name; all are saved, restored and counted.

        `shared` is a last layer that both sides' embeddings pass, in evaluation too. `opponent`,
        called on both sides' embeddings, gives the loss that it minimises against the encoders,
        by an optimiser of its own. All others are trained with the encoders.

        Args:
            embedding: size of the shared space.
            classes: number of training classes.
        """
        return {}

    @abstractmethod
    def __call__(
        self,
        image_BE: "Tensor",
        speech_BE: "Tensor",
        class_B: "Tensor",
        *,
        generator: "torch.Generator",
        own: "Own" = NONE,
    ) -> "Tensor":
        """The loss, a scalar.

        Args:
            image_BE: image embeddings, of unit norm if `unit_norm`.
            speech_BE: speech embeddings; row b speaks of image b.
            class_B: class of each pair, from 0 among the training classes.
            generator: for random draws (impostors), on the CPU.
            own: what `modules` made.
        """
