import math

import pytest
import torch

from trainables.discriminator import Discriminator


def test_its_loss_worked_by_hand():
    """All weights 0 but the last bias, 1: every embedding has the logit 1."""
    opponent = Discriminator(3)
    for parameter in opponent.parameters():
        torch.nn.init.zeros_(parameter)
    torch.nn.init.ones_(opponent.out.bias)
    found = opponent(torch.randn(2, 3), torch.randn(2, 3))
    assert found.item() == pytest.approx(math.log(1 + math.exp(-1)) + math.log(1 + math.exp(1)))


def test_it_learns_to_tell_the_sides():
    torch.manual_seed(0)
    opponent = Discriminator(3)
    optimiser = torch.optim.Adam(opponent.parameters(), lr=0.01)
    image, speech = torch.randn(64, 3) + 2, torch.randn(64, 3) - 2
    first = opponent(image, speech).item()
    for _ in range(50):
        optimiser.zero_grad()
        loss = opponent(image, speech)
        loss.backward()
        optimiser.step()
    assert loss.item() < 0.2 < first
