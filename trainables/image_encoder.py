"""The image side (thesis §4.1.1): backbone → [CBAM] → pool → batch norm → linear.

What no trial trains, the *frozen prefix*, is apart, so that it can be computed once and cached.
Shapes: B images, S pixels a side, C channels, E embedding.
"""

from collections.abc import Callable
from functools import cached_property

import torch
from jaxtyping import Float, Shaped, UInt8
from torch import Tensor, nn

from trainables import components, weights
from trainables.experiment import Experiment
from trainables.image_encoders import backbone
from trainables.image_encoders.cbam import CBAM


class ImageEncoder(nn.Module):
    """Images → embeddings, not yet of unit norm.

    A pretrained backbone is frozen unless `finetune`; its batch-norm statistics stay unless
    `backbone_bn` is `train`. A backbone trained from scratch has none of these switches.

    Raises:
        DataError, UsageError: pretrained weights are missing (see the backbone's file).
    """

    _mean_311: Tensor
    _std_311: Tensor

    def __init__(self, experiment: Experiment) -> None:
        super().__init__()
        self._experiment = experiment
        self.backbone = backbone(experiment.image_encoder)()
        self.attention = self._attention()
        self.norm = nn.BatchNorm1d(self.backbone.channels_head)
        self.fc = nn.Linear(self.backbone.channels_head, experiment.embedding)
        own = experiment.image_norm == "imagenet"
        mean = self.backbone.mean if own else (0.5, 0.5, 0.5)
        std = self.backbone.std if own else (0.5, 0.5, 0.5)
        self.register_buffer("_mean_311", _per_colour(mean), persistent=False)
        self.register_buffer("_std_311", _per_colour(std), persistent=False)
        if self.pretrained:
            self.backbone.requires_grad_(experiment.finetune)
        self.train()  # a module begins in training mode: frozen statistics must not move at all

    @property
    def pretrained(self) -> bool:
        """The backbone starts from given weights."""
        name = self._experiment.image_encoder
        return bool(components.constant("image_encoders", name, "PRETRAINED"))

    @property
    def keeps_statistics(self) -> bool:
        """The backbone's batch-norm statistics never change."""
        return self.pretrained and self._experiment.backbone_bn == "eval"

    @property
    def frozen(self) -> bool:
        """Nothing in the backbone ever changes, so its output up to the attention is cacheable."""
        return self.keeps_statistics and not self._experiment.finetune

    @cached_property
    def prefix_key(self) -> str:
        """Names what `frozen_prefix` computes: equal keys, equal outputs."""
        experiment = self._experiment
        if not self.frozen:
            return f"pixels-{experiment.image_size}"
        name = experiment.image_encoder
        version = components.constant("image_encoders", name, "VERSION")
        parts = (
            f"{name}-v{version}", experiment.image_attention, experiment.image_norm,
            str(experiment.image_size), weights.digest(self.backbone)[:16],
            *([experiment.precision] if experiment.precision != "float32" else []),
        )  # fmt: skip
        return "-".join(parts)

    def train(self, mode: bool = True) -> "ImageEncoder":
        super().train(mode)
        if self.keeps_statistics:
            self.backbone.eval()
        return self

    @torch.no_grad()
    def frozen_prefix(self, pixels_B3SS: UInt8[Tensor, "B 3 S S"]) -> Shaped[Tensor, "B ..."]:
        """What no trial trains: the map where CBAM stands, else the pooled vector.

        Where the backbone changes in training these are the pixels themselves.
        """
        value = pixels_B3SS
        for step in self._steps()[: self._cut()]:
            value = step(value)
        return value

    def forward(self, value: Shaped[Tensor, "B ..."]) -> Float[Tensor, "B E"]:
        """Embeddings from the prefix' output (also as float16), or straight from the pixels."""
        if value.dtype == torch.uint8:
            value = self.frozen_prefix(value)
            value = value.half() if self.frozen else value  # as it would be cached
        if value.dtype == torch.float16:
            value = value.float()
        for step in self._steps()[self._cut() :]:
            value = step(value)
        embedding_BE: Tensor = self.fc(self.norm(value))
        return embedding_BE

    @torch.no_grad()
    def last_map(self, pixels_B3SS: UInt8[Tensor, "B 3 S S"]) -> Float[Tensor, "B D h w"]:
        """The map at the end of stride 32, behind the attention of B4: what is pooled next."""
        value = pixels_B3SS
        for step in self._steps()[:-1]:
            value = step(value)
        return value

    def from_map(self, map_BDHW: Float[Tensor, "B D h w"]) -> Float[Tensor, "B E"]:
        """Embeddings from that map."""
        embedding_BE: Tensor = self.fc(self.norm(self._pool(map_BDHW)))
        return embedding_BE

    def _attention(self) -> CBAM | None:
        experiment = self._experiment
        if experiment.image_attention == "none":
            return None
        before = experiment.image_attention == "B3"
        channels = self.backbone.channels16 if before else self.backbone.channels32
        return CBAM(channels, reduction=experiment.cbam_reduction, kernel=experiment.cbam_kernel)

    def _steps(self) -> list[Callable[[Tensor], Tensor]]:
        steps: list[Callable[[Tensor], Tensor]]
        steps = [self._stride16, self.backbone.stride32, self._pool]
        if self.attention is not None:
            place = 1 if self._experiment.image_attention == "B3" else 2
            steps.insert(place, self.attention)
        return steps

    def _cut(self) -> int:
        """How many of the steps are frozen."""
        return {"B3": 1, "B4": 2, "none": 3}[self._experiment.image_attention] * self.frozen

    def _stride16(self, pixels_B3SS: Tensor) -> Tensor:
        # In place: fresh memory for each step costs ten times the arithmetic.
        normal_B3SS = pixels_B3SS.float().sub_(self._mean_311).div_(self._std_311)
        return self.backbone.stride16(normal_B3SS)

    def _pool(self, map_BCHW: Tensor) -> Tensor:
        return self.backbone.head(map_BCHW).mean((2, 3))


def _per_colour(value: tuple[float, float, float]) -> Float[Tensor, "3 1 1"]:
    return 255 * torch.tensor(value)[:, None, None]
