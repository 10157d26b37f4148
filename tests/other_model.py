"""A checkpoint that is whole but of another model: a trial that finds it fails each time."""

import torch

from trainables.checkpoints import Checkpoints


def of_another_model(url: str) -> None:
    """Put it where a trial's checkpoints are."""
    weights = {"another": torch.zeros(1)}
    state = {"model": weights, "optimisers": {}, "rng": torch.get_rng_state(), "reports": []}
    Checkpoints(url).save(state, epoch=1, best_epoch=1, best=weights)
