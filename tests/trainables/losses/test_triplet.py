import pytest
import torch

from data_shards.errors import UsageError
from trainables.losses.triplet import Triplet


def slow_all(image, speech, classes, margin):
    """The mean hinge over all impostors of another class, both directions, one pair at a time."""
    total = 0.0
    for i in range(len(classes)):
        others = [j for j in range(len(classes)) if classes[j] != classes[i]]
        own = float(speech[i] @ image[i])
        for scores in (
            [float(speech[i] @ image[j]) for j in others],
            [float(speech[j] @ image[i]) for j in others],
        ):
            hinges = [max(0.0, margin - own + score) for score in scores]
            total += sum(hinges) / max(1, len(hinges))
    return total / len(classes)


def test_two_classes_worked_by_hand():
    image, speech = torch.eye(2), torch.tensor([[1.0, 0.0], [0.6, 0.8]])
    classes = torch.tensor([0, 1])
    # Captions ask: max(0, .5 − 1 + 0) = 0 and .5 − .8 + .6 = .3; images ask: .5 − 1 + .6 = .1
    # and max(0, .5 − .8 + 0) = 0. The only impostor is certain to be drawn.
    for impostors in ("one", "all"):
        loss = Triplet(margin=0.5, impostors=impostors)
        value = loss(image, speech, classes, generator=torch.Generator())
        assert float(value) == pytest.approx((0.3 + 0.1) / 2)


@pytest.mark.parametrize("margin", [0.0, 0.2, 1.0])
def test_all_impostors_equal_the_slow_way(pairs, margin):
    image, speech, classes = pairs
    loss = Triplet(margin=margin, impostors="all")
    value = loss(image, speech, classes, generator=torch.Generator())
    assert float(value) == pytest.approx(slow_all(image, speech, classes, margin))


def test_one_impostor_is_drawn_uniformly_from_other_classes(pairs):
    image, speech, classes = pairs
    generator = torch.Generator().manual_seed(0)
    one = Triplet(margin=1.0, impostors="one")
    values = torch.stack([one(image, speech, classes, generator=generator) for _ in range(3000)])
    expected = slow_all(image, speech, classes, 1.0)
    error = float(values.std()) / len(values) ** 0.5
    assert float(values.std()) > 0
    assert float(values.mean()) == pytest.approx(expected, abs=4 * error)


def test_the_generator_alone_decides_the_impostors(pairs):
    image, speech, classes = pairs
    values = []
    for noise in (1, 2):
        torch.manual_seed(noise)
        generator = torch.Generator().manual_seed(7)
        values.append(float(Triplet()(image, speech, classes, generator=generator)))
    assert values[0] == values[1]


def test_a_batch_of_one_class_costs_nothing():
    eye = torch.eye(3, requires_grad=True)
    for impostors in ("one", "all"):
        loss = Triplet(impostors=impostors)
        value = loss(eye, eye, torch.zeros(3, dtype=torch.int64), generator=torch.Generator())
        value.backward()
        assert float(value.detach()) == 0
    assert not eye.grad.any()


@pytest.mark.parametrize("margin", [-1.0, float("nan"), float("inf")])
def test_margin_out_of_range_is_refused(margin):
    with pytest.raises(UsageError, match="margin must be >= 0 and finite"):
        Triplet(margin=margin)


def test_unknown_impostors_are_refused_with_a_guess():
    with pytest.raises(UsageError, match="Did you mean 'all'"):
        Triplet(impostors="al")
