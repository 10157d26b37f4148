"""Image backbones; one file each, found by name."""

import importlib

from data_shards.errors import unknown
from trainables import components
from trainables.image_encoders.base import Backbone


def backbone(name: str) -> type[Backbone]:
    """The backbone of that name, e.g. `backbone("resnet101")`; calling it builds the network.

    Raises:
        UsageError: there is none.
    """
    known = components.names("image_encoders")
    if name not in known:
        raise unknown("image_encoder", name, known)
    module = importlib.import_module(f"trainables.image_encoders.{name}")
    found: type[Backbone] = module.BACKBONE
    return found
