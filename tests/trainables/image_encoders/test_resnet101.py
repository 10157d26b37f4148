import pytest
import torch

from data_shards.errors import DataError
from trainables.image_encoders.resnet101 import WEIGHTS, ResNet101


def test_weights_that_cannot_be_downloaded_are_one_line(weights_file):
    with pytest.raises(DataError) as caught:
        ResNet101()
    message = str(caught.value)
    assert WEIGHTS.url in message
    assert str(weights_file) in message
    assert "\n" not in message


@pytest.mark.parametrize("content", [b"", b"cut short", b"PK\x03\x04 cut short"])
def test_a_broken_weights_file_is_one_line(weights_file, content):
    weights_file.write_bytes(content)
    with pytest.raises(DataError, match="weights of resnet101") as caught:
        ResNet101()
    assert "\n" not in str(caught.value)
    assert str(weights_file) in str(caught.value)


def test_weights_of_another_network_are_one_line(weights_file):
    torch.save({"a": torch.ones(1)}, weights_file)
    with pytest.raises(DataError, match="weights of resnet101") as caught:
        ResNet101()
    assert "\n" not in str(caught.value)


def test_the_two_parts_are_the_original_network(original_resnet101):
    network, pixels = ResNet101().eval(), torch.randn(1, 3, 64, 64)
    with torch.inference_mode():
        map32 = network.stride32(network.stride16(pixels))
        found = original_resnet101.fc(network.head(map32).mean((2, 3)))
        torch.testing.assert_close(found, original_resnet101(pixels))
        map16 = network.stride16(torch.zeros(1, 3, 244, 244))
    assert map16.shape == (1, 1024, 16, 16)  # Figure 4.2
