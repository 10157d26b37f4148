from collections.abc import Mapping

import pytest
import torch
from torch import Tensor, nn

from trainables.losses.base import Loss

CLASSES = 4


def random_pairs(*, seed: int = 0, size: int = 8) -> tuple[Tensor, Tensor, Tensor]:
    """Unit-norm images and captions in double precision, of four classes."""
    generator = torch.Generator().manual_seed(seed)
    sides = torch.randn(2, size, 5, generator=generator, dtype=torch.float64)
    image, speech = torch.nn.functional.normalize(sides, dim=2)
    return image, speech, torch.randint(CLASSES, (size,), generator=generator)


def own_modules(
    loss: Loss, *, embedding: int = 5, classes: int = CLASSES
) -> Mapping[str, nn.Module]:
    """What the loss trains itself, in double precision, the same at every call."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        made = loss.modules(embedding=embedding, classes=classes)
    return {name: module.double() for name, module in made.items()}


@pytest.fixture
def pairs() -> tuple[Tensor, Tensor, Tensor]:
    return random_pairs()
