import pytest
import torch
from torch import Tensor


def random_pairs(*, seed: int = 0, size: int = 8) -> tuple[Tensor, Tensor, Tensor]:
    """Unit-norm images and captions in double precision, of four classes."""
    generator = torch.Generator().manual_seed(seed)
    sides = torch.randn(2, size, 5, generator=generator, dtype=torch.float64)
    image, speech = torch.nn.functional.normalize(sides, dim=2)
    return image, speech, torch.randint(4, (size,), generator=generator)


@pytest.fixture
def pairs() -> tuple[Tensor, Tensor, Tensor]:
    return random_pairs()
