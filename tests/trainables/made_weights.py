"""torchvision's networks with random weights, which lie where the ImageNet ones are expected."""

from pathlib import Path

import torch
from torch import nn
from torchvision import models

from trainables import weights


def lay(name: str, monkeypatch, folder: Path) -> nn.Module:
    """Make `folder` torch.hub's home, with a file for the backbone; the original network."""
    monkeypatch.setenv("TORCH_HOME", str(folder))
    monkeypatch.delenv(weights.VARIABLE, raising=False)
    with torch.device("meta"):
        original = models.get_model_builder(name)(weights=None)
    torch.manual_seed(0)
    state = {key: _random(key, value.shape) for key, value in original.state_dict().items()}
    original.load_state_dict(state, assign=True)
    file = weights.path(url(name))
    file.parent.mkdir(parents=True, exist_ok=True)
    torch.save(state, file)
    return original.eval()


def url(name: str) -> str:
    """Where the backbone's ImageNet weights are."""
    return models.get_model_weights(name).IMAGENET1K_V1.url


def _random(key: str, shape: torch.Size) -> torch.Tensor:
    """Weights whose rows are windows of one short row of draws: VGG-16's file takes kilobytes
    instead of 553 MB, since a file holds what is shared once."""
    if not shape:
        return torch.tensor(0)  # batch norm's counter
    draws = torch.randn(sum(shape))
    if key.endswith("running_var"):
        return draws.abs() + 1
    if len(shape) == 1:
        return 0.1 * draws + key.endswith("weight")  # batch norm's are about 1
    draws /= shape[1:].numel() ** 0.5  # keeps the size of activations
    return draws.as_strided(shape, [1] * len(shape))
