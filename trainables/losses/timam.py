"""Text–image modality adversarial matching (Sarafianos et al. 2019; thesis Table 5.2).

Shapes: B pairs, E embedding, C classes. Embeddings are not of unit norm, as for CMPM.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from data_shards.errors import UsageError
from trainables.losses.base import NONE, Loss, Own
from trainables.losses.cmpm_cmpc import projection_matching

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn

VERSION = 1


@dataclass(frozen=True, kw_only=True)
class TIMAM(Loss):
    """Identification + cross-modal projection matching − adversarial · the discriminator's loss.

    The discriminator tells images from captions; in each step it first takes its own step on the
    batch, then the encoders take one against it (alternating steps). Its size, embedding → 256 →
    1, and the weight are our choice: the original's could not be verified.
    """

    name: ClassVar[str] = "timam"
    unit_norm: ClassVar[bool] = False

    adversarial: float = 1.0
    """Weight of the adversarial part (>= 0)."""

    def __post_init__(self) -> None:
        if not 0 <= self.adversarial < float("inf"):
            raise UsageError(
                f"adversarial must be >= 0 and finite, but got adversarial={self.adversarial!r}."
            )

    def modules(self, *, embedding: int, classes: int) -> "dict[str, nn.Module]":
        from torch import nn

        from trainables.discriminator import Discriminator

        classifier = nn.Linear(embedding, classes, bias=False)
        return {"classifier": classifier, "opponent": Discriminator(embedding)}

    def __call__(
        self,
        image_BE: "Tensor",
        speech_BE: "Tensor",
        class_B: "Tensor",
        *,
        generator: "torch.Generator",
        own: "Own" = NONE,
    ) -> "Tensor":
        identified = sum(
            (
                identification(side_BE, class_B, own["classifier"])
                for side_BE in (image_BE, speech_BE)
            ),
            start=image_BE.new_zeros(()),
        )
        matched = projection_matching(image_BE, speech_BE, class_B)
        told: Tensor = own["opponent"](image_BE, speech_BE)
        return identified + matched - self.adversarial * told


def identification(side_BE: "Tensor", class_B: "Tensor", classifier: "nn.Module") -> "Tensor":
    """Norm-softmax: cross-entropy under unit-norm class weights, no bias (their Eq. 1)."""
    from torch import nn

    weight_CE = nn.functional.normalize(classifier.get_parameter("weight"), dim=1)
    return nn.functional.cross_entropy(side_BE @ weight_CE.T, class_B)


LOSS = TIMAM
