import itertools

import pytest
import torch
from torch import nn

from trainables.image_encoders.vgg16 import VGG16

pytestmark = pytest.mark.parametrize("name", ["vgg16"])


@pytest.mark.parametrize("size", [64, 100])
def test_the_three_parts_are_the_original_network(original, size):
    network, pixels = VGG16().eval(), torch.randn(2, 3, size, size)
    with torch.inference_mode():
        map16 = network.stride16(pixels)
        head = network.head(network.stride32(map16))
        found = original.classifier[6](head.flatten(1))
        expected = original(pixels)
    torch.testing.assert_close(found, expected)
    assert (expected[0] - expected[1]).abs().mean() > 1e-3  # it looks at the pixels
    assert head.shape == (2, 4096, 1, 1)
    assert (head >= 0).all()  # fc7 behind its ReLU


def test_the_last_map_before_the_fifth_pooling_is_at_stride_16(original):
    network, pixels = VGG16().eval(), torch.randn(1, 3, 64, 64)
    with torch.inference_mode():
        map16 = network.stride16(pixels)
        pooled = original.features(pixels)
    assert map16.shape == (1, 512, 4, 4)
    assert torch.equal(map16.unfold(2, 2, 2).unfold(3, 2, 2).amax((4, 5)), pooled)


def test_dropout_works_only_where_fc6_and_fc7_are_trained_in_training_mode(original):
    network, map32 = VGG16(), torch.ones(1, 512, 7, 7)
    network.fc6, network.fc7 = nn.Linear(512 * 49, 64), nn.Linear(64, 64)  # faster
    for trained, mode in itertools.product((False, True), repeat=2):
        network.requires_grad_(trained).train(mode)
        with torch.no_grad():
            first, second = network.head(map32), network.head(map32)
        assert torch.equal(first, second) == (not (trained and mode))
