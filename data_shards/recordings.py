"""People's own recordings in the place of an engine: one sound file a caption.

Layout: `<folder>/<image_id>/<number>.<wav, flac, ogg, mp3, …>`; captions are numbered from 1 in
the order in which the reader of the data set gives them (a line each, blank lines left out).
"""

import hashlib
import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from data_shards.datasets.base import Source, SourceImage
from data_shards.errors import DataError, UsageError
from data_shards.sound_length import check_length
from data_shards.speech.base import RATE, Samples, resample

VOICE = "recording"  # what stands as the voice of a caption whose speaker is not known
_RATES = range(1_000, 400_000)  # Hz: of another one, resampling would take all memory
_LARGEST = 2**30  # bytes of a file
_CHANNELS = 16
WITHOUT = "images without a recording"  # reason to leave out

_LAYOUT = "DIR/image_00001/1.wav"
_NUMBERED = re.compile(r"0*(\d+)\.[A-Za-z0-9]+")


@dataclass(frozen=True)
class Recording:
    """A sound file, the SHA-256 of its bytes and who speaks; `file` is its path below `folder`."""

    folder: Path
    file: str
    sha256: str
    voice: str

    def description(self) -> dict[str, str]:
        """What is packed of it: no machine path."""
        return {"file": self.file, "sha256": self.sha256}


Recorded = Mapping[str, Mapping[int, Recording]]
"""Image id → number of a caption, from 0 → its recording."""


def find(source: Source, folder: Path, *, captions: int | None) -> tuple[Source, Recorded]:
    """The images that have recordings, and which of their captions do.

    Without a number of `captions` all are wanted: each must be recorded. With one, captions and
    images without a recording are left out, and the images counted in `skipped`.

    Raises:
        UsageError: `folder` is no folder.
        DataError: recordings are missing, or a file is no caption's.
    """
    if not folder.is_dir():
        raise UsageError(f"--speech must be a folder of recordings, but {folder} is none.")
    found = {image.image_id: _files_of(image, folder=folder) for image in source.images}
    if captions is None:
        _check_all(source.images, found=found)
    ids = {image_id for image_id, paths in found.items() if paths}
    kept = source.only(ids, without={WITHOUT: len(found) - len(ids)})
    if not (kept.train and kept.test):
        raise DataError(
            f"training and test images must have recordings, as {_LAYOUT}, but {folder} has them "
            f"for {len(kept.train)} training and {len(kept.test)} test images."
        )
    recorded = {
        image_id: {number: identify(path) for number, path in paths.items()}
        for image_id, paths in found.items()
    }
    return kept, recorded


def _files_of(image: SourceImage, *, folder: Path) -> dict[int, Path]:
    found: dict[int, Path] = {}
    own = folder / image.image_id
    for path in sorted(own.iterdir()) if own.is_dir() else ():
        if path.name.startswith("."):
            continue
        match, count = _NUMBERED.fullmatch(path.name), len(image.captions)
        if match is None or not 1 <= int(match[1]) <= count:
            raise DataError(
                f"recordings of {image.image_id} must be named 1.wav to {count}.wav (or .flac, …) "
                f"after its captions, but there is {path}."
            )
        number = int(match[1]) - 1
        if number in found:
            raise DataError(
                f"a caption must have one recording, but there are {found[number]} and {path}."
            )
        found[number] = path
    return found


def _check_all(images: list[SourceImage], *, found: dict[str, dict[int, Path]]) -> None:
    missing = [
        f"{image.image_id}/{number + 1}"
        for image in images
        for number in range(len(image.captions))
        if number not in found[image.image_id]
    ]
    if missing:
        total = sum(len(image.captions) for image in images)
        raise DataError(
            f"every caption must have a recording, as {_LAYOUT}, but {len(missing)} of {total} "
            f"have none, the first is {missing[0]}: record them, or take only recorded captions "
            "with --captions N."
        )


def identify(path: Path, *, voice: str = VOICE) -> Recording:
    """The recording in `path` (`<folder>/<image_id or any folder>/<file>`)."""
    with path.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    return Recording(path.parent.parent, f"{path.parent.name}/{path.name}", digest, voice)


def provenance(packed: Sequence[Recording]) -> dict[str, Any]:
    """The manifest's `speech`: who speaks, how many files, a hash of their names and contents."""
    lines = sorted(f"{recording.sha256}  {recording.file}\n" for recording in packed)
    return {
        "engine": "recordings",
        "version": soundfile.__libsndfile_version__,
        "voices": sorted({recording.voice for recording in packed}),
        "rate": RATE,
        "files": len(lines),
        "sha256": hashlib.sha256("".join(lines).encode()).hexdigest(),
    }


def read(recording: Recording) -> Samples:
    """Mono samples at 16 kHz, channels averaged; those of a 16-bit mono file as they are.

    Raises:
        DataError: the file changed since it was identified, does not decode, or is silent.
    """
    path = recording.folder / recording.file
    if (size := path.stat().st_size) > _LARGEST:
        raise DataError(f"a recording must have at most {_LARGEST} bytes, but {path} has {size}.")
    content = path.read_bytes()
    if hashlib.sha256(content).hexdigest() != recording.sha256:
        raise DataError(f"a recording must not change while it is packed, but {path} did.")
    try:
        channels, rate = _decoded(content)
    except (soundfile.SoundFileError, RuntimeError, ValueError) as error:
        raise DataError(f"a recording must be a sound file, but {path} is none: {error}") from error
    mono = channels.mean(axis=1)
    whole = mono if np.isfinite(mono).all() else mono[:0]
    samples = resample(np.rint(32768 * whole).clip(-32768, 32767).astype(np.int16), rate=rate)
    if not samples.any():
        raise DataError(f"a recording must be heard, but {path} is silent or damaged.")
    return samples


def _decoded(content: bytes) -> tuple[np.ndarray[Any, Any], int]:
    """Channels (N, C) and rate in Hz; what its header claims is checked before it is decoded."""
    with soundfile.SoundFile(io.BytesIO(content)) as sound:
        if sound.samplerate not in _RATES or sound.channels > _CHANNELS:
            raise ValueError(f"it has {sound.channels} channels at {sound.samplerate} Hz")
        check_length(sound)
        # as numbers up to 1: read as integers, a file of floats would not be scaled
        return sound.read(dtype="float64", always_2d=True), sound.samplerate
