"""Bi-modal triplet loss (thesis Eq. 2.11; Merkx and Chrupała use margin 0.2, all impostors)."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from data_shards.errors import UsageError, unknown
from trainables.losses.base import NONE, Loss, Own

if TYPE_CHECKING:
    import torch
    from torch import Tensor

VERSION = 1


@dataclass(frozen=True, kw_only=True)
class Triplet(Loss):
    """max(0, margin − s(pair) + s(impostor)) on cosines, for both directions, mean over the batch.

    Impostors are of a different class. A pair whose batch holds no other class contributes 0.
    """

    name: ClassVar[str] = "triplet"

    margin: float = 1.0
    """Distance in cosine that a pair must keep from its impostors (>= 0; thesis: 1)."""

    impostors: str = "one"
    """`one` random impostor a side (thesis), or the mean over `all` in the batch."""

    def __post_init__(self) -> None:
        if not 0 <= self.margin < float("inf"):
            raise UsageError(f"margin must be >= 0 and finite, but got margin={self.margin!r}.")
        if self.impostors not in ("one", "all"):
            raise unknown("impostors", self.impostors, ["one", "all"])

    def __call__(
        self,
        image_BE: "Tensor",
        speech_BE: "Tensor",
        class_B: "Tensor",
        *,
        generator: "torch.Generator",
        own: "Own" = NONE,
    ) -> "Tensor":
        score_BB = speech_BE @ image_BE.T
        allowed_BB = class_B[:, None] != class_B[None, :]
        to_image = self._side(score_BB, allowed_BB, generator)
        return to_image + self._side(score_BB.T, allowed_BB, generator)

    def _side(
        self, score_BB: "Tensor", allowed_BB: "Tensor", generator: "torch.Generator"
    ) -> "Tensor":
        """Rows are queries; column b of row b is its partner."""
        hinge_BB = (self.margin - score_BB.diagonal()[:, None] + score_BB).clamp(min=0)
        weight_BB = allowed_BB
        if self.impostors == "one":
            weight_BB = _one_of(allowed_BB, generator)
        count_B = weight_BB.sum(dim=1).clamp(min=1)
        return ((hinge_BB * weight_BB).sum(dim=1) / count_B).mean()


def _one_of(allowed_BB: "Tensor", generator: "torch.Generator") -> "Tensor":
    """A mask that keeps one allowed column of each row, drawn uniformly."""
    import torch

    lottery_BB = torch.rand(allowed_BB.shape, generator=generator).to(allowed_BB.device)
    lottery_BB = lottery_BB.masked_fill(~allowed_BB, -1.0)
    winner_BB = torch.zeros_like(allowed_BB)
    winner_BB.scatter_(1, lottery_BB.argmax(dim=1, keepdim=True), True)
    return winner_BB & allowed_BB


LOSS = Triplet
