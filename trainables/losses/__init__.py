"""Losses over a batch of paired embeddings; one file each, found by name."""

import importlib

from data_shards.errors import unknown
from trainables import components
from trainables.losses.base import Loss


def loss_class(name: str) -> type[Loss]:
    """The loss of that name, e.g. `loss_class("matching")`.

    Raises:
        UsageError: there is none.
    """
    known = components.names("losses")
    if name not in known:
        raise unknown("loss", name, known)
    module = importlib.import_module(f"trainables.losses.{name}")
    found: type[Loss] = module.LOSS
    return found
