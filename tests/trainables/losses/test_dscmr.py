import math

import pytest
import torch
from torch import nn

from data_shards.errors import UsageError
from tests.trainables.losses.conftest import own_modules
from trainables.losses.dscmr import DSCMR


def slow(image, speech, classes, classifier, lam, eta):
    """One sample and one pair at a time, with plain numbers (Zhen et al. 2019, Eqs 3–7)."""
    weight = classifier.weight.tolist()
    labels = partners = similar = 0.0
    count = len(classes)
    for side in (image.tolist(), speech.tolist()):
        for vector, label in zip(side, classes.tolist(), strict=True):
            scores = [sum(w * x for w, x in zip(row, vector, strict=True)) for row in weight]
            labels += math.dist(scores, [float(c == label) for c in range(len(weight))]) / count
    for one, other in ((image, image), (image, speech), (speech, speech)):
        for i in range(count):
            for j in range(count):
                cosine = float(one[i] @ other[j] / one[i].norm() / other[j].norm())
                same = float(classes[i] == classes[j])
                term = math.log(1 + math.exp(cosine / 2)) - same * cosine / 2
                similar += term / count**2
    for i in range(count):
        partners += math.dist(image[i].tolist(), speech[i].tolist()) / count
    return labels + lam * similar + eta * partners


def loss_of(loss, image, speech, classes, own):
    return float(loss(image, speech, classes, generator=torch.Generator(), own=own))


def test_one_pair_worked_by_hand():
    # Classifier: the identity. Image (3, 4) of class 0: off its label (1, 0) by √(2² + 4²) = √20;
    # speech (1, 0): by 0. Cosines: 1, 0.6, 1, halved. Partners are √(2² + 4²) = √20 apart.
    classifier = nn.Linear(2, 2, bias=False)
    classifier.weight.data = torch.eye(2)
    image, speech = torch.tensor([[3.0, 4.0]]), torch.tensor([[1.0, 0.0]])
    similar = 2 * (math.log(1 + math.exp(0.5)) - 0.5) + math.log(1 + math.exp(0.3)) - 0.3
    expected = math.sqrt(20) + 0.5 * similar + 2.0 * math.sqrt(20)
    loss = DSCMR(similarity=0.5, invariance=2.0)
    found = loss_of(loss, image, speech, torch.tensor([0]), {"classifier": classifier})
    assert found == pytest.approx(expected)


@pytest.mark.parametrize(("lam", "eta"), [(1e-3, 1e-1), (1.0, 0.0)])
def test_equals_the_slow_way(pairs, lam, eta):
    loss = DSCMR(similarity=lam, invariance=eta)
    own = own_modules(loss)
    image, speech, classes = pairs
    expected = slow(2 * image, speech, classes, own["classifier"], lam, eta)
    assert loss_of(loss, 2 * image, speech, classes, own) == pytest.approx(expected)


def test_its_own_parts_are_a_shared_layer_and_a_classifier():
    own = DSCMR().modules(embedding=6, classes=3)
    sizes = {name: sum(p.numel() for p in part.parameters()) for name, part in own.items()}
    assert sizes == {"shared": 6 * 6 + 6, "classifier": 6 * 3}


@pytest.mark.parametrize("field", ["similarity", "invariance"])
@pytest.mark.parametrize("wrong", [-0.1, math.inf])
def test_wrong_weights_are_refused(field, wrong):
    with pytest.raises(UsageError, match=f"{field} must be >= 0 and finite, but got {field}="):
        DSCMR(**{field: wrong})
