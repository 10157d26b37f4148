"""Cross-modal projection matching and classification (Zhang & Lu 2018; thesis Table 5.2).

Shapes: B pairs, E embedding, C classes. Embeddings are not of unit norm: their length counts.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from trainables.losses.base import NONE, Loss, Own

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn

VERSION = 1


@dataclass(frozen=True, kw_only=True)
class CMPMCMPC(Loss):
    """CMPM (their Eqs 1–5) plus CMPC (Eqs 6–11), weighted 1:1, both directions each."""

    name: ClassVar[str] = "cmpm_cmpc"
    unit_norm: ClassVar[bool] = False

    def modules(self, *, embedding: int, classes: int) -> "dict[str, nn.Module]":
        from torch import nn

        return {"classifier": nn.Linear(embedding, classes, bias=False)}

    def __call__(
        self,
        image_BE: "Tensor",
        speech_BE: "Tensor",
        class_B: "Tensor",
        *,
        generator: "torch.Generator",
        own: "Own" = NONE,
    ) -> "Tensor":
        matching = projection_matching(image_BE, speech_BE, class_B)
        return matching + self._classification(image_BE, speech_BE, class_B, own["classifier"])

    def _classification(
        self, image_BE: "Tensor", speech_BE: "Tensor", class_B: "Tensor", classifier: "nn.Module"
    ) -> "Tensor":
        """Cross-entropy of each side, projected on the other's direction, under unit-norm
        class weights (Eqs 8–11)."""
        from torch import nn

        weight_CE = nn.functional.normalize(classifier.get_parameter("weight"), dim=1)
        return sum(
            (
                nn.functional.cross_entropy(projected(one_BE, on=other_BE) @ weight_CE.T, class_B)
                for one_BE, other_BE in ((image_BE, speech_BE), (speech_BE, image_BE))
            ),
            start=image_BE.new_zeros(()),
        )


def projection_matching(image_BE: "Tensor", speech_BE: "Tensor", class_B: "Tensor") -> "Tensor":
    """CMPM: KL divergence of the matching shares from the softmax of the projections of one side
    on the other's unit vectors, in both directions, mean over the batch (Eqs 1–5)."""
    return _to(image_BE, speech_BE, class_B) + _to(speech_BE, image_BE, class_B)


def _to(one_BE: "Tensor", other_BE: "Tensor", class_B: "Tensor") -> "Tensor":
    from torch import nn

    score_BB = one_BE @ nn.functional.normalize(other_BE, dim=1).T
    log_BB = score_BB.log_softmax(dim=1)
    same_BB = (class_B[:, None] == class_B[None, :]).to(score_BB)
    share_BB = same_BB / same_BB.sum(dim=1, keepdim=True)
    return (log_BB.exp() * (log_BB - (share_BB + 1e-8).log())).sum(dim=1).mean()


def projected(one_BE: "Tensor", *, on: "Tensor") -> "Tensor":
    """Each vector's part along the partner's direction (Eqs 6–7)."""
    from torch import nn

    along_BE = nn.functional.normalize(on, dim=1)
    return (one_BE * along_BE).sum(dim=1, keepdim=True) * along_BE


LOSS = CMPMCMPC
