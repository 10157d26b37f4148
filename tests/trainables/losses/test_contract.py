"""What every loss must do; a new file in `trainables/losses/` is covered the day it appears."""

import dataclasses

import pytest
import torch

from data_shards.errors import UsageError
from tests.trainables.losses.conftest import random_pairs
from trainables import components
from trainables.losses import loss_class

LOSSES = components.names("losses")


def variants(name):
    """The loss at its defaults, and with every choice of its drawing switched to `all`."""
    kind = loss_class(name)
    yield kind()
    if "impostors" in {spec.name for spec in dataclasses.fields(kind)}:
        yield kind(impostors="all")


def value(loss, image, speech, classes, *, seed=0):
    return loss(image, speech, classes, generator=torch.Generator().manual_seed(seed))


def test_the_known_losses_are_found():
    assert {"matching", "triplet"} <= set(LOSSES)


@pytest.mark.parametrize("name", LOSSES)
def test_name_version_and_file_agree(name):
    assert loss_class(name).name == name
    assert components.constant("losses", name, "VERSION") >= 1


@pytest.mark.parametrize("name", LOSSES)
def test_gradient_is_right(name, pairs):
    image, speech, classes = pairs
    for loss in variants(name):
        torch.autograd.gradcheck(
            lambda x, y, loss=loss: value(loss, x, y, classes),
            (image.requires_grad_(), speech.requires_grad_()),
        )


@pytest.mark.parametrize("name", LOSSES)
def test_the_order_of_the_batch_has_no_influence(name, pairs):
    image, speech, classes = pairs
    order = torch.tensor([3, 1, 7, 0, 2, 6, 5, 4])
    loss = list(variants(name))[-1]  # a loss that draws is compared where it takes all
    permuted = value(loss, image[order], speech[order], classes[order])
    assert float(permuted) == pytest.approx(float(value(loss, *pairs)), rel=1e-12)


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize("seed", range(4))
def test_a_pair_of_the_same_class_is_never_a_negative(name, seed):
    image, speech, _ = random_pairs(seed=seed, size=4)
    for loss in variants(name):
        assert _moved(loss, image, speech, torch.tensor([0, 0, 1, 1])) == 0
        negative = [
            _moved(loss, image, speech, torch.tensor([0, 1, 2, 2]), seed=s) for s in range(20)
        ]
        assert any(negative)  # of different classes the same change does count


def _moved(loss, image, speech, classes, *, seed=0):
    """How much the loss moves when the score of caption 0 with image 1 alone is raised by 0.49."""
    image, speech = (torch.nn.functional.pad(side, (0, 1)) for side in (image, speech))
    before = value(loss, image, speech, classes, seed=seed)
    image[1, -1], speech[0, -1] = 0.7, 0.7  # a dimension of their own: only these two meet in it
    return float(value(loss, image, speech, classes, seed=seed) - before)


@pytest.mark.parametrize("name", LOSSES)
def test_the_loss_is_a_finite_scalar_and_falls_for_a_perfect_batch(name, pairs):
    _, _, classes = pairs
    perfect = torch.eye(8, dtype=torch.float64)
    for loss in variants(name):
        random = value(loss, *pairs)
        assert random.shape == ()
        assert random.isfinite()
        assert value(loss, perfect, perfect, classes) < random


def test_an_unknown_loss_is_refused_with_a_guess():
    with pytest.raises(UsageError, match="Did you mean 'matching'"):
        loss_class("matchin")
