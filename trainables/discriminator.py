"""The opponent of an adversarial loss: tells which side an embedding comes from."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

HIDDEN = 256


class Discriminator(nn.Module):
    """Embedding → 256 → 1; called on both sides, gives its own loss.

    −mean log D(image) − mean log(1 − D(speech)) (Sarafianos et al. 2019, adversarial loss).
    """

    def __init__(self, embedding: int) -> None:
        super().__init__()
        self.hidden = nn.Linear(embedding, HIDDEN)
        self.out = nn.Linear(HIDDEN, 1)

    def forward(
        self, image_BE: Float[Tensor, "B E"], speech_BE: Float[Tensor, "B E"]
    ) -> Float[Tensor, ""]:
        image_B1, speech_B1 = self._logit(image_BE), self._logit(speech_BE)
        told = nn.functional.binary_cross_entropy_with_logits
        return told(image_B1, torch.ones_like(image_B1)) + told(
            speech_B1, torch.zeros_like(speech_B1)
        )

    def _logit(self, side_BE: Float[Tensor, "B E"]) -> Float[Tensor, "B 1"]:
        logit_B1: Tensor = self.out(self.hidden(side_BE).relu())
        return logit_B1
