import math

import pytest
import torch

from data_shards.errors import UsageError
from tests.trainables.losses.conftest import own_modules
from trainables.losses.cmpm_cmpc import projection_matching
from trainables.losses.timam import TIMAM, identification


def slow_identification(side, classes, weight):
    total = 0.0
    for vector, label in zip(side, classes, strict=True):
        scores = [(row / row.norm() @ vector).item() for row in weight]
        total -= scores[int(label)] - math.log(sum(math.exp(s) for s in scores))
    return total / len(classes)


def slow_told(image, speech, opponent):
    """−mean log D(image) − mean log(1 − D(speech)), one embedding at a time."""

    def chance(vector):
        hidden = (opponent.hidden.weight @ vector + opponent.hidden.bias).clamp(min=0)
        return 1 / (1 + math.exp(-(opponent.out.weight @ hidden + opponent.out.bias).item()))

    images = -sum(math.log(chance(vector)) for vector in image) / len(image)
    return images - sum(math.log(1 - chance(vector)) for vector in speech) / len(speech)


def test_identification_worked_by_hand():
    # Unit class weights (1, 0), (0, 1); the vector (3, 0) of class 0: log(1 + e^−3).
    classifier = torch.nn.Linear(2, 2, bias=False)
    classifier.weight.data = torch.tensor([[2.0, 0.0], [0.0, 0.5]])
    found = identification(torch.tensor([[3.0, 0.0]]), torch.tensor([0]), classifier)
    assert float(found) == pytest.approx(math.log(1 + math.exp(-3)))


@pytest.mark.parametrize("adversarial", [1.0, 0.3, 0.0])
def test_equals_the_slow_way(pairs, adversarial):
    image, speech, classes = pairs
    loss = TIMAM(adversarial=adversarial)
    own = own_modules(loss)
    weight = own["classifier"].weight
    expected = (
        slow_identification(image, classes, weight)
        + slow_identification(speech, classes, weight)
        + float(projection_matching(image, speech, classes))
        - adversarial * slow_told(image, speech, own["opponent"])
    )
    found = loss(image, speech, classes, generator=torch.Generator(), own=own)
    assert float(found) == pytest.approx(expected)


def test_the_encoders_are_pushed_against_the_discriminator(pairs):
    """The gradient of the adversarial part is the reverse of the discriminator's own."""
    image, speech, classes = pairs
    image.requires_grad_()
    own = own_modules(TIMAM())
    (own_way,) = torch.autograd.grad(own["opponent"](image, speech), image)
    with_it, without = (
        torch.autograd.grad(
            TIMAM(adversarial=weight)(image, speech, classes, generator=torch.Generator(), own=own),
            image,
        )[0]
        for weight in (1.0, 0.0)
    )
    torch.testing.assert_close(with_it - without, -own_way)


def test_its_own_parts_are_a_classifier_and_a_discriminator():
    own = TIMAM().modules(embedding=6, classes=3)
    sizes = {name: sum(p.numel() for p in part.parameters()) for name, part in own.items()}
    assert sizes == {"classifier": 6 * 3, "opponent": 6 * 256 + 256 + 256 + 1}


@pytest.mark.parametrize("wrong", [-1.0, math.inf])
def test_a_wrong_weight_is_refused(wrong):
    with pytest.raises(UsageError, match="adversarial must be >= 0 and finite"):
        TIMAM(adversarial=wrong)
