"""Spoken captions as they are stored: 16 kHz mono FLAC."""

import io

import soundfile
import torch
from jaxtyping import Float
from torch import Tensor

from data_shards.front_end import FrontEnd, frames_of
from data_shards.logmel import RATE
from data_shards.sound_length import check_length


def decode_speech(flac: bytes, front: FrontEnd) -> Float[Tensor, "T F"]:
    """Frames of a FLAC, float16; raises as `wave`."""
    return frames_of(wave(flac), front)


def wave(flac: bytes) -> Float[Tensor, " N"]:
    """Samples of a FLAC.

    Raises:
        ValueError: it cannot be decoded, is not 16 kHz mono, or is longer than a caption.
    """
    try:
        with soundfile.SoundFile(io.BytesIO(flac)) as sound:
            check_length(sound)
            _check_kind(sound)
            samples = sound.read(dtype="float32")
    except (soundfile.SoundFileError, RuntimeError) as error:
        raise ValueError(str(error)) from error
    if not len(samples):
        raise ValueError("speech must have samples, but has none")
    return torch.from_numpy(samples)


def _check_kind(sound: soundfile.SoundFile) -> None:
    found = (sound.format, sound.channels, sound.samplerate)
    if found != ("FLAC", 1, RATE):
        raise ValueError(
            f"speech must be FLAC, mono at {RATE} Hz, but is {found[0]} with {found[1]} channels "
            f"at {found[2]} Hz"
        )
