"""Writes one shard: photographs, speech and texts of its samples as a WebDataset tar file.

Members of a sample: `<image_id>.jpg`, `<image_id>.0.flac`, `<image_id>.1.flac`, … and
`<image_id>.json` with `{image_id, class_id, class_name, captions: [{text, voice}, …]}` and what
the data set notes of an image; a recorded caption also has its `recording: {file, sha256}`.
"""

import dataclasses
import hashlib
import io
import json
import tarfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import soundfile

from data_shards import files, recordings, speech
from data_shards.datasets.base import SourceImage
from data_shards.errors import DataError, UsageError
from data_shards.images import to_jpeg
from data_shards.manifest import Shard
from data_shards.recordings import Recording

PROGRESS = ".packed"  # folder with a note on each finished shard
_VERSION = 1  # raised when the same plan would give other bytes


@dataclass(frozen=True)
class Spoken:
    """A caption and the voice that speaks it, or its recording."""

    text: str
    voice: str
    recording: Recording | None = None

    def description(self) -> dict[str, Any]:
        """The caption in the sample's JSON member."""
        spoken = {"text": self.text, "voice": self.voice}
        return spoken | ({"recording": self.recording.description()} if self.recording else {})


@dataclass(frozen=True)
class Sample:
    """One image and those of its captions that are packed."""

    image: SourceImage
    captions: tuple[Spoken, ...]

    def description(self) -> dict[str, Any]:
        """The sample's JSON member."""
        return {
            "image_id": self.image.image_id,
            "class_id": self.image.class_id,
            "class_name": self.image.class_name,
            "captions": [caption.description() for caption in self.captions],
            **self.image.notes(),
        }


@dataclass(frozen=True)
class ShardTask:
    """One shard to write. `source` (description) and `engine_version` are part of its key."""

    out: Path
    name: str
    source: str
    engine: str
    engine_version: str
    samples: tuple[Sample, ...]

    @property
    def key(self) -> str:
        """Hash of all that determines the shard's bytes, photographs aside."""
        parts = [_VERSION, self.source, self.engine, self.engine_version]
        plan = [*parts, *(sample.description() for sample in self.samples)]
        return hashlib.sha256(json.dumps(plan).encode()).hexdigest()

    @property
    def note(self) -> Path:
        """Where a finished shard is noted."""
        return self.out / PROGRESS / f"{self.name}.json"


def finished(task: ShardTask) -> Shard | None:
    """The shard if it was written by this very task and stands unchanged."""
    note = files.read_bytes(task.note)
    if note is None:
        return None
    try:
        value = json.loads(note)
        shard = Shard(**value["shard"])
    except (ValueError, KeyError, TypeError):
        return None
    path = task.out / task.name
    if value["key"] != task.key or not path.is_file():
        return None
    with path.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    return shard if digest == shard.sha256 else None


def write(task: ShardTask) -> Shard:
    """Write the shard atomically, noting it first, so that every shard of ours has a note.

    Raises:
        DataError: an image does not decode, or a caption gives no sound.
        UsageError: the folder cannot be written; DataError if it is full.
    """
    content = _tar(task)
    shard = Shard(
        name=task.name,
        samples=len(task.samples),
        captions=sum(len(sample.captions) for sample in task.samples),
        sha256=hashlib.sha256(content).hexdigest(),
    )
    note = {"key": task.key, "shard": dataclasses.asdict(shard)}
    try:
        files.write_atomic(task.note, json.dumps(note).encode())
        files.write_atomic(task.out / task.name, content)
    except OSError as error:
        raise cannot_write(error) from error
    return shard


def cannot_write(error: OSError) -> UsageError | DataError:
    """Why `out` cannot be written: the call is wrong, or only the disk is full."""
    if files.is_full(error):
        return DataError(
            f"out must have room to write, but {error}: free some space and run the same command "
            "again; what is finished is kept."
        )
    return UsageError(f"out must be a folder that can be written, but {error}.")


def _tar(task: ShardTask) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for sample in task.samples:
            for suffix, content in _members(sample, engine=task.engine).items():
                # TarInfo's defaults (time 0, user 0, mode 644) keep the bytes the same everywhere
                member = tarfile.TarInfo(f"{sample.image.image_id}.{suffix}")
                member.size = len(content)
                tar.addfile(member, io.BytesIO(content))
    return stream.getvalue()


def _members(sample: Sample, *, engine: str) -> dict[str, bytes]:
    members = {"jpg": to_jpeg(sample.image)}
    for index, caption in enumerate(sample.captions):
        image_id = sample.image.image_id
        members[f"{index}.flac"] = _flac(caption, image_id=image_id, engine=engine)
    text = json.dumps(sample.description(), sort_keys=True, ensure_ascii=False)
    return members | {"json": text.encode()}


def _flac(caption: Spoken, *, image_id: str, engine: str) -> bytes:
    if caption.recording:
        samples = recordings.read(caption.recording)
    else:
        samples = _engine(engine).say(caption.text, voice=caption.voice)
    if not samples.any():
        raise DataError(
            f"a caption must have words to speak, but image {image_id} has {caption.text!r}."
        )
    stream = io.BytesIO()
    soundfile.write(stream, samples, speech.RATE, format="FLAC", subtype="PCM_16")
    return stream.getvalue()


@cache
def _engine(name: str) -> speech.SpeechEngine:
    """This process' engine; it ends with the process."""
    return speech.engine(name)
