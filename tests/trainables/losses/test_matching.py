import math

import pytest
import torch

from data_shards.errors import UsageError
from trainables.losses.matching import Matching


def slow(image, speech, classes, gamma):
    """The mean of −log P(x|y) − log P(y|x) with the mask of Eq. 4.9, one pair at a time."""
    total = 0.0
    for i in range(len(classes)):
        kept = [j for j in range(len(classes)) if j == i or classes[j] != classes[i]]
        own = math.exp(gamma * float(speech[i] @ image[i]))
        total -= math.log(own / sum(math.exp(gamma * float(speech[i] @ image[j])) for j in kept))
        total -= math.log(own / sum(math.exp(gamma * float(speech[j] @ image[i])) for j in kept))
    return total / len(classes)


def test_two_classes_worked_by_hand():
    # Cosine 1 with the partner, 0 with the other: each of four terms is log(1 + e^−γ).
    eye = torch.eye(2)
    loss = Matching(gamma=2.0)(eye, eye, torch.tensor([0, 1]), generator=torch.Generator())
    assert float(loss) == pytest.approx(2 * math.log(1 + math.exp(-2)))


def test_directions_differ_and_are_added():
    image, speech = torch.eye(2), torch.tensor([[1.0, 0.0], [0.6, 0.8]])
    loss = Matching(gamma=1.0)(image, speech, torch.tensor([0, 1]), generator=torch.Generator())
    to_image = math.log(1 + math.exp(0 - 1)) + math.log(1 + math.exp(0.6 - 0.8))
    to_speech = math.log(1 + math.exp(0.6 - 1)) + math.log(1 + math.exp(0 - 0.8))
    assert float(loss) == pytest.approx((to_image + to_speech) / 2)


@pytest.mark.parametrize("gamma", [0.5, 13.0])
def test_equals_the_slow_way(pairs, gamma):
    image, speech, classes = pairs
    loss = Matching(gamma=gamma)(image, speech, classes, generator=torch.Generator())
    assert float(loss) == pytest.approx(slow(image, speech, classes, gamma))


def test_large_gamma_stays_finite(pairs):
    image, speech, classes = (
        value.float() if value.is_floating_point() else value for value in pairs
    )
    image.requires_grad_()
    loss = Matching(gamma=1000.0)(image, speech, classes, generator=torch.Generator())
    loss.backward()
    assert loss.isfinite()
    assert image.grad.isfinite().all()


@pytest.mark.parametrize("gamma", [0, -1.0, float("nan"), float("inf")])
def test_gamma_out_of_range_is_refused(gamma):
    with pytest.raises(UsageError, match="gamma must be > 0 and finite"):
        Matching(gamma=gamma)
