"""What every loss is: a frozen value with its own fields, callable on a batch.

A loss is part of the experiment, which is planned without torch: torch is imported inside the
methods of a loss file, not at its top.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    import torch
    from torch import Tensor


@dataclass(frozen=True, kw_only=True)
class Loss(ABC):
    """A loss over B paired images and captions. Subclasses add their fields and validate them."""

    name: ClassVar[str]

    @abstractmethod
    def __call__(
        self,
        image_BE: "Tensor",
        speech_BE: "Tensor",
        class_B: "Tensor",
        *,
        generator: "torch.Generator",
    ) -> "Tensor":
        """The loss, a scalar.

        Args:
            image_BE: unit-norm image embeddings.
            speech_BE: unit-norm speech embeddings; row b speaks of image b.
            class_B: class of each pair.
            generator: for random draws (impostors), on the CPU.
        """
