"""Speech encoders; one file each, found by name."""

import importlib

import torch

from data_shards.errors import unknown
from data_shards.front_end import FrontEnd
from data_shards.logmel import LogMel
from trainables import components
from trainables.experiment import Experiment
from trainables.speech_encoders import torchaudio_front
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


def front_end(experiment: Experiment, *, device: torch.device) -> FrontEnd:
    """What makes the frames that the experiment's encoder reads, on the device if it is a network.

    An encoder's file says it: `FRONT`, the bundle of torchaudio, its layer and the width of its
    frames; None for log-mel.

    Raises:
        DataError: the network's weights can neither be found nor downloaded.
    """
    front = components.constant("speech_encoders", experiment.speech_encoder, "FRONT")
    if front is None:
        return LogMel(mels=experiment.mels, window=experiment.window)
    return torchaudio_front.load(front["bundle"], layer=front["layer"], device=device)
