"""What every backbone must do; a new file in `trainables/image_encoders/` is covered at once."""

import pytest
import torch

from data_shards.errors import UsageError
from trainables import components
from trainables.experiment import Experiment
from trainables.feature_sizes import image_bytes
from trainables.image_encoder import ImageEncoder
from trainables.image_encoders import backbone

BACKBONES = components.names("image_encoders")
PRETRAINED = [n for n in BACKBONES if components.constant("image_encoders", n, "PRETRAINED")]


def experiment(name: str, **changes) -> Experiment:
    base = Experiment(image_encoder=name, image_size=64, embedding=16)
    return base.replace(**changes)


def pixels(count: int = 2) -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.randint(0, 256, (count, 3, 64, 64), dtype=torch.uint8, generator=generator)


def test_the_known_backbones_are_found():
    residual = {"resnet18", "resnet34", "resnet50", "resnet101", "resnet152"}
    assert set(BACKBONES) == {"efficientnet_lite0", "small", "vgg16"} | residual


@pytest.mark.parametrize("name", BACKBONES)
def test_constants_are_literals(name):
    assert components.constant("image_encoders", name, "VERSION") >= 1
    assert isinstance(components.constant("image_encoders", name, "PRETRAINED"), bool)


@pytest.mark.parametrize("name", BACKBONES)
def test_strides_and_channels(name, usable):
    with torch.device("meta"):  # shapes alone take no time
        network = backbone(name)().eval()
    for size in (32, 64, 100, 224, 244):
        map16 = network.stride16(torch.empty(2, 3, size, size, device="meta"))
        map32 = network.stride32(map16)
        head = network.head(map32)
        assert map16.shape[:2] == (2, network.channels16)
        assert map32.shape[:2] == (2, network.channels32)
        assert head.shape[:2] == (2, network.channels_head)
        assert head.shape[2:] in (map32.shape[2:], (1, 1))
        assert abs(map16.shape[2] - size / 16) < 1
        assert abs(map32.shape[2] - size / 32) < 1
        if name in PRETRAINED:  # maps are cached, and planning knows how large they are
            for place, cached in (("B3", map16), ("B4", map32), ("none", head.mean((2, 3)))):
                planned = experiment(name, image_attention=place, image_size=size)
                assert 2 * cached[0].numel() == image_bytes(planned)


@pytest.mark.parametrize("name", BACKBONES)
def test_attention_and_normalisation_fit(name, usable):
    for place, norm in (("none", "half"), ("B3", "imagenet"), ("B4", "half")):
        encoder = ImageEncoder(experiment(name, image_attention=place, image_norm=norm)).eval()
        with torch.inference_mode():
            expected = by_hand(encoder, place, norm)
            found = encoder.frozen_prefix(pixels())
            torch.testing.assert_close(found, expected, atol=1e-3, rtol=1e-3)
            embedding_BE = encoder(expected.half() if encoder.frozen else expected)
        assert embedding_BE.shape == (2, 16)
        assert embedding_BE.isfinite().all()


def by_hand(encoder: ImageEncoder, place: str, norm: str) -> torch.Tensor:
    """What comes before the first trained part."""
    network = encoder.backbone
    if not encoder.frozen:
        return pixels()
    means, stds = (network.mean, network.std) if norm == "imagenet" else ((0.5,) * 3,) * 2
    colours = [(pixels()[:, c] / 255 - means[c]) / stds[c] for c in range(3)]
    value = network.stride16(torch.stack(colours, dim=1))
    value = value if place == "B3" else network.stride32(value)
    return network.head(value).mean((2, 3)) if place == "none" else value


@pytest.mark.parametrize("name", PRETRAINED)
def test_finetuning_trains_all_of_it(name, usable):
    encoder = ImageEncoder(experiment(name, finetune=True))
    encoder(pixels()).square().sum().backward()
    assert [n for n, p in encoder.backbone.named_parameters() if p.grad is None] == []
    assert next(encoder.backbone.parameters()).grad.any()  # it comes through all layers


@pytest.mark.parametrize("bn", ["eval", "train"])
@pytest.mark.parametrize("name", sorted({*PRETRAINED} - {"vgg16"}))  # which has no batch norm
def test_statistics_drift_only_where_asked(name, bn, usable):
    encoder = ImageEncoder(experiment(name, backbone_bn=bn)).train()
    assert not any(parameter.requires_grad for parameter in encoder.backbone.parameters())
    before = {n: value.clone() for n, value in encoder.backbone.state_dict().items()}
    encoder(pixels())
    after = encoder.backbone.state_dict()
    moved = {n for n in before if not torch.equal(before[n], after[n])}
    statistics = {n for n, _ in encoder.backbone.named_buffers()}
    assert moved == (statistics if bn == "train" else set())


def test_an_unknown_backbone_is_refused_with_a_guess():
    with pytest.raises(UsageError, match="Did you mean 'resnet101'"):
        backbone("resnet11")
