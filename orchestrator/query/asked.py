"""What a user asks with: a sound file or a picture, made what a packed sample would hold.

Both go through the code that packs recordings and photographs, so that a query is heard and seen
as the training data were: 16-bit mono at 16 kHz, an upright RGB JPEG.
"""

import io
from pathlib import Path

import soundfile
from jaxtyping import Float
from torch import Tensor, from_numpy

from data_shards import recordings
from data_shards.batches import pad
from data_shards.datasets.base import Photograph
from data_shards.errors import DataError, UsageError
from data_shards.images import to_jpeg
from data_shards.logmel import RATE
from data_shards.sound import decode_speech
from data_shards.views import View
from orchestrator.query.trained import Trained
from trainables.model import autocast

SHORTEST = 0.1  # seconds: less holds no word
_LARGEST_IMAGE = 2**28  # bytes of a file
_MOST_SAMPLES = 2**26  # over all channels, as decoded: half a gigabyte, 300 s of 48 kHz in stereo


def sound(path: Path) -> bytes:
    """A recording as it would be packed: FLAC, mono, 16 kHz, 16 bits.

    Raises:
        UsageError: there is no such file.
        DataError: it is no sound, silent, too short or too long.
    """
    _check_file("--wav", path)
    _check_header(path)
    samples = recordings.read(recordings.identify(path.resolve()))
    if len(samples) < SHORTEST * RATE:
        raise DataError(
            f"a query must last at least {SHORTEST} s, but {path} has {len(samples) / RATE:.3f} s."
        )
    buffer = io.BytesIO()
    soundfile.write(buffer, samples, RATE, format="FLAC", subtype="PCM_16")
    return buffer.getvalue()


def picture(path: Path) -> bytes:
    """A photograph as it would be packed: RGB JPEG, its shorter side at most 304 pixels.

    Raises:
        UsageError: there is no such file.
        DataError: it is no picture, damaged, or far too large or too small.
    """
    _check_file("--image", path)
    if (size := path.stat().st_size) > _LARGEST_IMAGE:
        raise DataError(
            f"an image must have at most {_LARGEST_IMAGE} bytes, but {path} has {size}."
        )
    asked = Photograph(image_id="query", class_id=0, class_name="", captions=("",), path=path)
    try:
        return to_jpeg(asked)
    except DataError as error:
        raise DataError(f"{path} must be a photograph, but: {error}") from error


def embedded_sound(trained: Trained, flac: bytes) -> tuple[Float[Tensor, " E"], Tensor]:
    """A query's unit-norm embedding, and the frames (T, F) of which it was made."""
    frames_TF = decode_speech(flac, trained.front)
    frames_1TF, length_1 = pad([frames_TF])
    return trained.model.embed_speech(frames_1TF, length_1).detach()[0], frames_1TF[0]


def embedded_picture(trained: Trained, jpeg: bytes) -> tuple[Float[Tensor, " E"], Tensor]:
    """A query's unit-norm embedding, and the pixels (3, S, S) of which it was made."""
    pixels_3SS = from_numpy(View(trained.experiment.image_size)(jpeg))
    image, model = pixels_3SS[None], trained.model.image
    with autocast(trained.experiment, image.device):
        prefix = model.frozen_prefix(image)
    value = prefix.half() if model.frozen else prefix  # as it is cached for the gallery
    return trained.model.embed_images(value).detach()[0], pixels_3SS


def _check_file(option: str, path: Path) -> None:
    if not path.is_file():  # nor a device, which has no end
        raise UsageError(f"{option} must be a file, but {path} is none.")


def _check_header(path: Path) -> None:
    """What a header claims decides how much memory decoding takes.

    A file without a readable header is left to `recordings.read`, which says so.
    """
    try:
        with soundfile.SoundFile(str(path)) as opened:
            samples = opened.frames * opened.channels
            if 0 <= samples <= _MOST_SAMPLES:
                return
            claimed = f"{opened.frames} × {opened.channels} channels"
    except (soundfile.SoundFileError, RuntimeError, TypeError):
        return
    raise DataError(f"a query must have at most {_MOST_SAMPLES} samples, but {path} has {claimed}.")
