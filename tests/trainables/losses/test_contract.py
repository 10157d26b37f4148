"""What every loss must do; a new file in `trainables/losses/` is covered the day it appears."""

import dataclasses

import pytest
import torch

from data_shards.errors import UsageError
from tests.trainables.losses.conftest import own_modules, random_pairs
from trainables import components
from trainables.losses import loss_class

LOSSES = components.names("losses")
NEGATIVES = ["matching", "triplet"]  # losses that push pairs of different classes apart


def variants(name):
    """The loss at its defaults, and with every choice of its drawing switched to `all`."""
    kind = loss_class(name)
    yield kind()
    if "impostors" in {spec.name for spec in dataclasses.fields(kind)}:
        yield kind(impostors="all")


def value(loss, image, speech, classes, *, seed=0):
    own = own_modules(loss, embedding=image.shape[1])
    return loss(image, speech, classes, generator=torch.Generator().manual_seed(seed), own=own)


def test_the_known_losses_are_found():
    assert LOSSES == ["cmpm_cmpc", "dscmr", "matching", "timam", "triplet"]


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


@pytest.mark.parametrize("name", NEGATIVES)
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


@pytest.mark.parametrize("name", NEGATIVES)
def test_the_loss_falls_for_a_perfect_batch(name, pairs):
    _, _, classes = pairs
    perfect = torch.eye(8, dtype=torch.float64)
    for loss in variants(name):
        assert value(loss, perfect, perfect, classes) < value(loss, *pairs)


@pytest.mark.parametrize("name", LOSSES)
def test_the_loss_is_a_finite_scalar(name, pairs):
    image, speech, classes = pairs
    for loss in variants(name):
        for scale in (1e-3, 1.0, 30.0):  # embeddings that are not of unit norm
            found = value(loss, scale * image, scale * speech, classes)
            assert found.shape == ()
            assert found.isfinite()


@pytest.mark.parametrize("name", LOSSES)
def test_classes_of_one_pair_and_batches_of_one_class_stay_finite(name, pairs):
    image, speech, _ = (side[:4].clone().requires_grad_(side.is_floating_point()) for side in pairs)
    for loss in variants(name):
        for classes in (torch.arange(4), torch.zeros(4, dtype=torch.long)):
            found = value(loss, image, speech, classes)
            gradients = torch.autograd.grad(found, (image, speech))
            assert found.isfinite()
            assert all(gradient.isfinite().all() for gradient in gradients)


@pytest.mark.parametrize("name", LOSSES)
def test_equal_partners_give_finite_gradients(name, pairs):
    image, _, classes = pairs
    image.requires_grad_()
    for loss in variants(name):
        (gradient,) = torch.autograd.grad(value(loss, image, image, classes), image)
        assert gradient.isfinite().all()


@pytest.mark.parametrize("name", LOSSES)
def test_training_brings_the_right_partners_together(name):
    """Free embeddings, trained by the loss alone: each finds a partner of its class."""
    loss = loss_class(name)()
    classes = torch.tensor([0, 1, 2, 3, 0, 1, 2, 3])
    image, speech, _ = random_pairs(seed=3)
    own = own_modules(loss)
    parameters = [image.requires_grad_(), speech.requires_grad_()]
    parameters += [p for n, m in own.items() if n != "opponent" for p in m.parameters()]
    optimiser = torch.optim.Adam(parameters, lr=0.05)
    against = torch.optim.Adam(own["opponent"].parameters(), lr=0.05) if "opponent" in own else None
    generator = torch.Generator().manual_seed(0)
    for _ in range(150):
        if against:
            against.zero_grad()
            own["opponent"](image.detach(), speech.detach()).backward()
            against.step()
        optimiser.zero_grad()
        sides = image, speech
        if loss.unit_norm:
            sides = tuple(torch.nn.functional.normalize(side, dim=1) for side in sides)
        loss(*sides, classes, generator=generator, own=own).backward()
        optimiser.step()
    found = torch.nn.functional.cosine_similarity(speech[:, None], image[None], dim=2).argmax(dim=1)
    assert torch.equal(classes[found], classes)


def test_an_unknown_loss_is_refused_with_a_guess():
    with pytest.raises(UsageError, match="Did you mean 'matching'"):
        loss_class("matchin")
