"""Reads one shard whole and says what is wrong with it, member by member."""

import hashlib
import io
import tarfile
import warnings
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

import soundfile
from PIL import Image

from data_shards import files, outside, speech, tar_members
from data_shards.images import LONGEST_SHORT_SIDE
from data_shards.manifest import LARGEST_NUMBER, Shard
from data_shards.shard_cache import LARGEST
from data_shards.sound_length import check_length
from data_shards.tar_members import ForeignMember

Members = dict[str, bytes]


@dataclass(frozen=True)
class ShardCheck:
    """A shard to read: where it is, what the manifest says of it and of its split's classes."""

    url: str
    shard: Shard
    class_names: dict[int, str]
    voices: list[str]


@dataclass
class ShardFindings:
    """What stands in a shard. `images` and `captions` count by class id; `keys` are image ids."""

    problems: list[str] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    images: Counter[int] = field(default_factory=Counter)
    captions: Counter[int] = field(default_factory=Counter)


def check(task: ShardCheck) -> ShardFindings:
    """Read every byte of a shard: hash, members, texts, JPEG and FLAC."""
    findings, name = ShardFindings(), task.shard.name
    content = files.read_bytes(task.url, limit=LARGEST)
    if content is None:
        findings.problems.append(f"{name} is missing")
        return findings
    digest = hashlib.sha256(content).hexdigest()
    if digest != task.shard.sha256:
        findings.problems.append(
            f"{name}: SHA-256 must be {task.shard.sha256}, but is {digest} ({len(content)} bytes)"
        )
    try:
        for key, members in _samples(content):
            _check_sample(key, members=members, task=task, findings=findings)
    except ForeignMember as error:
        findings.problems.append(f"{name} {error}")
    except tarfile.TarError as error:
        findings.problems.append(f"{name} is cut short or no tar file: {error}")
    _check_counts(task.shard, findings=findings)
    return findings


def _samples(content: bytes) -> Iterator[tuple[str, Members]]:
    """Keys and members in order; neighbours of one key are one sample, as WebDataset reads."""
    for key, named in groupby(tar_members.members(content), lambda member: _parts(member[0])[0]):
        parts = [(_parts(name)[1], part) for name, part in named]
        if len(dict(parts)) < len(parts):
            raise tarfile.ReadError(f"{key} has a member twice")
        yield key, dict(parts)


def _parts(name: str) -> tuple[str, str]:
    key, _, suffix = name.partition(".")
    return key, suffix


def _check_counts(shard: Shard, *, findings: ShardFindings) -> None:
    for what, said, found in (
        ("samples", shard.samples, len(findings.keys)),
        ("captions", shard.captions, sum(findings.captions.values())),
    ):
        if said != found:
            findings.problems.append(f"{shard.name}: {what} must be {said}, but are {found}")


def _check_sample(key: str, *, members: Members, task: ShardCheck, findings: ShardFindings) -> None:
    findings.keys.append(key)
    where = f"{task.shard.name}: {key}"
    try:
        text = outside.typed("it", outside.json_value(members["json"]), dict)
        outside.count("class_id", text["class_id"], most=LARGEST_NUMBER)
        class_id, spoken = text["class_id"], outside.typed("captions", text["captions"], list)
        problems = list(_text_problems(key, text=text, spoken=spoken, task=task))
    except (KeyError, ValueError, TypeError, AttributeError) as error:
        findings.problems.append(f"{where}.json is missing or damaged: {error!r}")
        return
    findings.images[class_id] += 1
    findings.captions[class_id] += len(spoken)
    findings.problems += [f"{where}.json: {problem}" for problem in problems]
    expected = {"jpg", "json", *(f"{index}.flac" for index in range(len(spoken)))}
    for suffix in sorted(expected ^ set(members)):
        state = "missing" if suffix in expected else "one too many"
        findings.problems.append(f"{where}.{suffix} is {state}")
    for suffix in sorted(expected & set(members)):
        problem = _member_problem(suffix, content=members[suffix])
        if problem:
            findings.problems.append(f"{where}.{suffix} {problem}")


def _text_problems(
    key: str, *, text: dict[str, Any], spoken: list[dict[str, str]], task: ShardCheck
) -> Iterator[str]:
    class_id, class_name = text["class_id"], text["class_name"]
    if text["image_id"] != key:
        yield f"image_id must be {key!r}, but is {text['image_id']!r}"
    if class_id not in task.class_names:
        yield f"class {class_id} is none of its split's classes"
    elif task.class_names[class_id] != class_name:
        yield f"class {class_id} must be {task.class_names[class_id]!r}, but is {class_name!r}"
    if not spoken:
        yield "has no caption"
    for caption in spoken:
        if not caption["text"].strip() and "recording" not in caption:
            yield "has an empty caption"
        if caption["voice"] not in task.voices:
            yield f"voice {caption['voice']!r} is none of {task.voices}"


def _member_problem(suffix: str, *, content: bytes) -> str | None:
    if suffix == "json":
        return None
    return _jpeg_problem(content) if suffix == "jpg" else _flac_problem(content)


def _jpeg_problem(content: bytes) -> str | None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            image = Image.open(io.BytesIO(content), formats=["JPEG"])
            image.load()
    except (OSError, SyntaxError, ValueError, Warning, Image.DecompressionBombError) as error:
        return f"does not decode: {error}"
    if image.mode != "RGB" or min(image.size) > LONGEST_SHORT_SIDE:
        return (
            f"must be RGB, shorter side <= {LONGEST_SHORT_SIDE}, but is {image.mode} {image.size}"
        )
    return None


def _flac_problem(content: bytes) -> str | None:
    try:
        with soundfile.SoundFile(io.BytesIO(content)) as sound:
            check_length(sound)
            samples = sound.read(dtype="int16")
            found = (sound.format, sound.samplerate, sound.channels)
            expected_samples = sound.frames
    except (soundfile.SoundFileError, RuntimeError, ValueError) as error:
        return f"does not decode: {error}"
    if found != ("FLAC", speech.RATE, 1):
        return f"must be 16 kHz mono FLAC, but is {found}"
    if len(samples) != expected_samples or not samples.any():
        return f"must hold {expected_samples} samples of speech, but {len(samples)} decode"
    return None
