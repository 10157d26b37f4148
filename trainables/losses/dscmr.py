"""Deep supervised cross-modal retrieval (Zhen et al. 2019; thesis Table 5.2).

Shapes: B pairs, E embedding, C classes. Embeddings are not of unit norm.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from data_shards.errors import UsageError
from trainables.losses.base import NONE, Loss, Own

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn

VERSION = 1


@dataclass(frozen=True, kw_only=True)
class DSCMR(Loss):
    """J = J1 + λ·J2 + η·J3 (their Eq. 7): labels, similarities, partners.

    J1 and J3 are means of a sample's L2 norms, as in the published code. Both sides pass a shared
    last layer and a shared linear classifier.
    """

    name: ClassVar[str] = "dscmr"
    unit_norm: ClassVar[bool] = False

    similarity: float = 1e-3
    """λ, weight of J2 (>= 0; paper: 1e-3)."""
    invariance: float = 1e-1
    """η, weight of J3 (>= 0; paper: 1e-1)."""

    def __post_init__(self) -> None:
        for name in ("similarity", "invariance"):
            value = getattr(self, name)
            if not 0 <= value < float("inf"):
                raise UsageError(f"{name} must be >= 0 and finite, but got {name}={value!r}.")

    def modules(self, *, embedding: int, classes: int) -> "dict[str, nn.Module]":
        from torch import nn

        return {
            "shared": nn.Linear(embedding, embedding),
            "classifier": nn.Linear(embedding, classes, bias=False),
        }

    def __call__(
        self,
        image_BE: "Tensor",
        speech_BE: "Tensor",
        class_B: "Tensor",
        *,
        generator: "torch.Generator",
        own: "Own" = NONE,
    ) -> "Tensor":
        import torch

        labels = sum(
            (_labels(own["classifier"](side_BE), class_B) for side_BE in (image_BE, speech_BE)),
            start=image_BE.new_zeros(()),
        )
        pairs = ((image_BE, image_BE), (image_BE, speech_BE), (speech_BE, speech_BE))
        similar = sum((_similarity(*pair, class_B) for pair in pairs), start=labels.new_zeros(()))
        partners: Tensor = torch.linalg.vector_norm(image_BE - speech_BE, dim=1).mean()
        return labels + self.similarity * similar + self.invariance * partners


def _labels(score_BC: "Tensor", class_B: "Tensor") -> "Tensor":
    """J1 of one side: mean distance of the classifier's output from the one-hot label."""
    import torch
    from torch import nn

    one_hot_BC = nn.functional.one_hot(class_B, score_BC.shape[1]).to(score_BC)
    distance: Tensor = torch.linalg.vector_norm(score_BC - one_hot_BC, dim=1).mean()
    return distance


def _similarity(one_BE: "Tensor", other_BE: "Tensor", class_B: "Tensor") -> "Tensor":
    """J2 of two sides: mean of log(1 + e^Γ) − S·Γ; Γ: half the cosine, S: whether classes agree."""
    from torch import nn

    one_BE, other_BE = (nn.functional.normalize(side_BE, dim=1) for side_BE in (one_BE, other_BE))
    half_BB = one_BE @ other_BE.T / 2
    same_BB = (class_B[:, None] == class_B[None, :]).to(half_BB)
    return (nn.functional.softplus(half_BB) - same_BB * half_BB).mean()


LOSS = DSCMR
