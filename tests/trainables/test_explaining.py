"""Grad-CAM against maps worked by hand; attention weights against the encoder itself."""

import pytest
import torch

from trainables import components
from trainables.experiment import Experiment
from trainables.explaining import grad_cam, image_heat, speech_weights, trained_model
from trainables.model import DualEncoder, initialise, trainable_state

TINY = Experiment(
    image_encoder="small", image_size=64, embedding=16, speech_attention_hidden=8, speech_units=16
)


def _model(**changes):
    experiment = TINY.replace(**changes)
    model = DualEncoder(experiment)
    initialise(model, 0)
    return trained_model(experiment, trainable_state(model), classes=0)


def test_grad_cam_of_a_linear_score_worked_by_hand():
    """Score = 8·(mean of channel 0) - 4·(mean of channel 1) on 2×2 cells: the channels' mean
    gradients are 8/4 and -4/4."""
    map_1DHW = torch.tensor([[[[1.0, 2.0], [0.0, 3.0]], [[1.0, 5.0], [2.0, 0.0]]]])
    weight_D = torch.tensor([8.0, -4.0])
    heat = grad_cam(map_1DHW, lambda maps: (maps.mean((2, 3)) * weight_D).sum(dim=1))
    assert heat.tolist() == [[[1.0, 0.0], [0.0, 6.0]]]  # relu(2·A0 - A1)


def test_each_image_of_a_batch_has_its_own_map():
    maps = torch.rand(3, 4, 2, 2, generator=torch.Generator().manual_seed(0))

    def score(maps):
        return maps.mean((2, 3)).square().sum(dim=1)

    together = grad_cam(maps, score)
    for number in range(3):
        torch.testing.assert_close(together[number : number + 1], grad_cam(maps[[number]], score))


@pytest.mark.parametrize("attention", ["none", "B3", "B4"])
def test_heat_is_of_the_map_that_is_pooled_and_its_cosine_that_of_the_embeddings(attention):
    model = _model(image_attention=attention)
    generator = torch.Generator().manual_seed(0)
    pixels = torch.randint(256, (2, 3, 64, 64), generator=generator, dtype=torch.uint8)
    speech = torch.nn.functional.normalize(torch.randn(2, 16, generator=generator), dim=1)
    heat, cosine = image_heat(model, pixels, speech)
    assert heat.shape == (2, 2, 2)
    assert bool((heat >= 0).all())
    with torch.no_grad():
        expected = (model.embed_images(pixels) * speech).sum(dim=1)
    torch.testing.assert_close(cosine, expected)
    # By hand: the gradient of the cosine alone, averaged over the cells.
    maps = model.image.last_map(pixels).requires_grad_()
    (model.embed_map(maps) * speech).sum().backward()
    weight = maps.grad.mean((2, 3), keepdim=True)
    torch.testing.assert_close(heat, (weight * maps).sum(dim=1).relu().detach())


def test_argmax_explains_the_largest_dimension():
    model = _model()
    pixels = torch.randint(
        256, (1, 3, 64, 64), generator=torch.Generator().manual_seed(1), dtype=torch.uint8
    )
    with torch.no_grad():
        largest = model.embed_images(pixels).argmax(dim=1)
    one_hot = torch.nn.functional.one_hot(largest, 16).float()
    argmax, _ = image_heat(model, pixels, torch.zeros(1, 16), target="argmax")
    pair, _ = image_heat(model, pixels, one_hot)
    torch.testing.assert_close(argmax, pair)


def _frames(count, width):
    return torch.randn(count, width, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("name", components.names("speech_encoders"))
def test_weights_of_every_encoder_sum_to_one_over_time(name):
    front = components.constant("speech_encoders", name, "FRONT")
    model = _model(speech_encoder=name)
    weight = speech_weights(model, _frames(100, front["width"] if front else 40))
    if weight is None:  # those that take the mean, or the last state
        assert name in {"harwath", "scharenborg"}
    else:
        assert float(weight.sum()) == pytest.approx(1, abs=1e-5)
        assert bool((weight >= 0).all())


@pytest.mark.parametrize(("frames", "steps"), [(64, 8), (65, 9), (71, 9)])
def test_the_pyramid_has_an_eighth_of_the_frames(frames, steps):
    assert len(speech_weights(_model(), _frames(frames, 40))) == steps


def test_vectorial_weights_are_averaged_over_features():
    model = _model()
    kept = []
    attention = model.speech.attention
    attention.register_forward_hook(
        lambda module, given, named, _: kept.append(module.weights(*given, **named)),
        with_kwargs=True,
    )
    weight = speech_weights(model, _frames(40, 40))
    torch.testing.assert_close(weight, kept[0][0].mean(dim=1))


def test_without_attention_there_are_no_weights_and_no_hook_stays():
    assert speech_weights(_model(speech_attention=False), _frames(40, 40)) is None
    model = _model()
    speech_weights(model, _frames(40, 40))
    assert not any(module._forward_hooks for module in model.modules())
