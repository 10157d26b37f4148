from pathlib import Path

import pytest
import torch
from torchvision.models import resnet101

from trainables.image_encoders.resnet101 import WEIGHTS


@pytest.fixture(autouse=True)
def _no_network(monkeypatch):
    """Downloads fail at once, whether or not the machine has a network."""
    for name in ("https_proxy", "HTTPS_PROXY", "http_proxy", "HTTP_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")  # the discard port refuses
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def weights_file(tmp_path, monkeypatch) -> Path:
    """Where torch.hub looks for ResNet-101's weights: an empty folder."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    file = tmp_path / "hub" / "checkpoints" / WEIGHTS.url.rsplit("/", 1)[-1]
    file.parent.mkdir(parents=True)
    return file


@pytest.fixture
def original_resnet101(weights_file) -> torch.nn.Module:
    """torchvision's network with random weights, which lie where the ImageNet ones are expected."""
    torch.manual_seed(0)
    original = resnet101(weights=None).eval()
    torch.save(original.state_dict(), weights_file)
    return original
