"""Speech encoders; one file each, found by name."""

import importlib

from data_shards.errors import unknown
from trainables import components
from trainables.speech_encoders.base import SpeechEncoder


def speech_encoder(name: str) -> type[SpeechEncoder]:
    """The encoder of that name, e.g. `speech_encoder("pyramid_bigru")`; takes an experiment.

    Raises:
        UsageError: there is none.
    """
    known = components.names("speech_encoders")
    if name not in known:
        raise unknown("speech_encoder", name, known)
    module = importlib.import_module(f"trainables.speech_encoders.{name}")
    found: type[SpeechEncoder] = module.ENCODER
    return found
