"""All residual networks: five files, one module."""

import pytest
import torch

from data_shards.errors import DataError
from tests.trainables import made_weights
from trainables import weights
from trainables.image_encoders import backbone

NAMES = ["resnet18", "resnet34", "resnet50", "resnet101", "resnet152"]


@pytest.mark.parametrize("name", NAMES)
def test_the_two_parts_are_the_original_network(name, original):
    network, pixels = backbone(name)().eval(), torch.randn(2, 3, 64, 64)
    with torch.inference_mode():
        map32 = network.stride32(network.stride16(pixels))
        found = original.fc(network.head(map32).mean((2, 3)))
        expected = original(pixels)
    torch.testing.assert_close(found, expected)
    assert (expected[0] - expected[1]).abs().mean() > 1e-3  # it looks at the pixels


@pytest.mark.parametrize("name", NAMES)
def test_names_are_those_of_the_original_but_its_classifier(name, original):
    """Cached features are named by a digest over them."""
    expected = {n for n in original.state_dict() if not n.startswith("fc.")}
    assert set(backbone(name)().state_dict()) == expected


@pytest.mark.parametrize("name", ["resnet101"])
def test_maps_have_the_sizes_of_figure_4_2(name):
    with torch.device("meta"):
        network = backbone(name)()
    map16 = network.stride16(torch.empty(1, 3, 244, 244, device="meta"))
    assert map16.shape == (1, 1024, 16, 16)
    assert network.stride32(map16).shape == (1, 2048, 8, 8)


@pytest.mark.parametrize("name", ["resnet34"])
def test_weights_that_cannot_be_downloaded_are_one_line(name, original):
    file = weights.path(made_weights.url(name))
    file.unlink()
    with pytest.raises(DataError, match="weights of resnet34") as caught:
        backbone(name)()
    message = str(caught.value)
    assert made_weights.url(name) in message
    assert str(file) in message
    assert "\n" not in message
