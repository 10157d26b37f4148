import math

import pytest
import torch

from tests.trainables.losses.conftest import own_modules
from trainables.losses.cmpm_cmpc import CMPMCMPC, projected, projection_matching


def slow_matching(one, other, classes):
    """KL divergence of the matching shares, one query at a time (Zhang & Lu 2018, Eqs 1–4)."""
    total, count = 0.0, len(classes)
    for i in range(count):
        scores = [float(one[i] @ other[j] / other[j].norm()) for j in range(count)]
        whole = sum(math.exp(score) for score in scores)
        matches = sum(bool(classes[i] == classes[j]) for j in range(count))
        for j in range(count):
            p = math.exp(scores[j]) / whole
            q = float(classes[i] == classes[j]) / matches
            total += p * math.log(p / (q + 1e-8)) / count
    return total


def slow_classification(one, other, classes, weight):
    total, count = 0.0, len(classes)
    for i in range(count):
        unit = other[i] / other[i].norm()
        along = float(one[i] @ unit) * unit
        scores = [(row / row.norm() @ along).item() for row in weight]
        total -= scores[int(classes[i])] - math.log(sum(math.exp(s) for s in scores))
    return total / count


def test_matching_of_two_classes_worked_by_hand():
    # Scores of image 0: 2 with its partner, 0 with the other: p = e²/(e² + 1) and 1/(e² + 1);
    # q = 1 and 0. Speech (unit) sees the images' directions: scores 1 and 0.
    image, speech = 2 * torch.eye(2, dtype=torch.float64), torch.eye(2, dtype=torch.float64)

    def divergence(score):
        p = math.exp(score) / (math.exp(score) + 1)
        return p * math.log(p / (1 + 1e-8)) + (1 - p) * math.log((1 - p) / 1e-8)

    found = projection_matching(image, speech, torch.tensor([0, 1]))
    assert float(found) == pytest.approx(divergence(2) + divergence(1))


def test_shares_are_of_the_row_sum():
    """Three of one class: each share is 1/3, so equal scores give a loss of about nothing.

    A popular port divides by the row's L2 norm instead: each would be 0.58.
    """
    image = torch.ones(3, 2, dtype=torch.float64)
    found = projection_matching(image, image, torch.tensor([5, 5, 5]))
    assert float(found) == pytest.approx(0.0, abs=1e-6)


def test_equals_the_slow_way(pairs):
    image, speech, classes = pairs
    image, speech = 3 * image, 2 * speech
    loss = CMPMCMPC()
    own = own_modules(loss)
    weight = own["classifier"].weight
    expected = sum(
        slow_matching(one, other, classes) + slow_classification(one, other, classes, weight)
        for one, other in ((image, speech), (speech, image))
    )
    found = loss(image, speech, classes, generator=torch.Generator(), own=own)
    assert float(found) == pytest.approx(expected)


def test_projection_worked_by_hand():
    found = projected(torch.tensor([[2.0, 1.0]]), on=torch.tensor([[0.0, 7.0]]))
    torch.testing.assert_close(found, torch.tensor([[0.0, 1.0]]))


def test_the_length_of_class_weights_does_not_count(pairs):
    loss = CMPMCMPC()
    own = own_modules(loss)
    before = loss(*pairs, generator=torch.Generator(), own=own)
    own["classifier"].weight.data *= 5
    after = loss(*pairs, generator=torch.Generator(), own=own)
    assert float(after) == pytest.approx(float(before))


def test_its_own_part_is_a_classifier_without_bias():
    own = CMPMCMPC().modules(embedding=6, classes=3)
    assert {name: [p.shape for p in part.parameters()] for name, part in own.items()} == {
        "classifier": [(3, 6)]
    }
