"""The manifest: what a packed data set holds. Its hash names the data in every record."""

import dataclasses
import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from data_shards import files, outside
from data_shards.cache_folder import shard_limit
from data_shards.errors import DataError, UsageError

SCHEMA = 1
NAME = "manifest.json"
SPLITS = ("train", "val", "test")
LARGEST_NUMBER = 2**31 - 1  # of a class, and of things counted
_LARGEST = 64 * 2**20  # bytes of a manifest
_PLAIN_NAME = r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,200}\.tar"


@dataclass(frozen=True)
class Shard:
    """One tar file of a split: its name beside the manifest, counts, and SHA-256 of its bytes."""

    name: str
    samples: int
    captions: int
    sha256: str

    def __post_init__(self) -> None:
        outside.match("a shard's name", self.name, _PLAIN_NAME)
        outside.count("a shard's samples", self.samples, most=LARGEST_NUMBER)
        outside.count("a shard's captions", self.captions, most=LARGEST_NUMBER)
        outside.match("a shard's sha256", self.sha256, r"[0-9a-f]{64}")


@dataclass(frozen=True)
class ClassCount:
    """A class of a split and how much of it was packed."""

    id: int
    name: str
    images: int
    captions: int

    def __post_init__(self) -> None:
        outside.line("a class' name", self.name)
        for what, value in (("id", self.id), ("images", self.images), ("captions", self.captions)):
            outside.count(f"a class' {what}", value, most=LARGEST_NUMBER)


@dataclass(frozen=True)
class Split:
    """A split: whole classes (class-disjoint from the other splits) in numbered shards."""

    classes: list[ClassCount]
    shards: list[Shard]

    def __post_init__(self) -> None:
        names = [shard.name for shard in self.shards]
        if len(set(names)) < len(names):
            raise ValueError("a split must name each of its shards once")

    @property
    def samples(self) -> int:
        """Number of images."""
        return sum(shard.samples for shard in self.shards)

    @property
    def captions(self) -> int:
        """Number of spoken captions."""
        return sum(shard.captions for shard in self.shards)


@dataclass(frozen=True)
class Manifest:
    """A packed data set: `options` are those that determine its content (captions, seed, …),
    `speech` says how captions were spoken (engine, version, voices, rate)."""

    dataset: str
    source: str
    options: dict[str, Any]
    speech: dict[str, Any]
    splits: dict[str, Split]
    skipped: dict[str, int] = field(default_factory=dict)
    schema: int = SCHEMA

    def __post_init__(self) -> None:
        outside.match("the data set's name", self.dataset, r"[A-Za-z0-9_-]{1,100}")
        outside.line("the source", self.source)
        outside.typed("options", self.options, dict)
        for voice in outside.typed("voices", _voices(self.speech), list):
            outside.line("a voice", voice, longest=200)
        for reason, count in outside.typed("skipped", self.skipped, dict).items():
            outside.line("a reason to skip", reason)
            outside.count(f"skipped {outside.shown(reason)}", count, most=LARGEST_NUMBER)
        if strange := sorted(set(self.splits) - set(SPLITS)):
            raise ValueError(f"splits must be of {SPLITS}, but one is {outside.shown(strange[0])}")

    def classes_beside(self, shard: Shard) -> set[int]:
        """Numbers of the classes of the splits that hold a shard."""
        return {
            counted.id
            for split in self.splits.values()
            if shard in split.shards
            for counted in split.classes
        }

    def to_json(self) -> str:
        """Canonical JSON text: sorted keys, no machine path, no time of day."""
        value = dataclasses.asdict(self)
        for name, split in self.splits.items():
            value["splits"][name] |= {"samples": split.samples, "captions": split.captions}
        return json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False) + "\n"

    @property
    def hash(self) -> str:
        """16 hex digits of the SHA-256 of the canonical JSON."""
        return hashlib.sha256(self.to_json().encode()).hexdigest()[:16]


@dataclass(frozen=True)
class Data:
    """A manifest and where it lies (`folder`: a path or fsspec URI).

    `cache`: where this node keeps the shards of a remote folder; without one they are fetched
    whenever they are read.
    """

    folder: str
    manifest: Manifest
    cache: Path | None = None

    def cached(self, cache: Path) -> "Data":
        """The same data, its shards kept on this node if they are remote.

        Raises:
            UsageError: $VFSEL_CACHE_GB is no size.
        """
        shard_limit()  # said here, not from a loader's process
        return dataclasses.replace(self, cache=cache)

    def shard_url(self, shard: Shard) -> str:
        """Where a shard's tar file is."""
        return files.join(self.folder, shard.name)


def load(location: str | Path) -> Data:
    """Read a manifest, given its file or its folder.

    Raises:
        UsageError: nothing is there.
        DataError: the file is not a manifest of this version.
    """
    folder = str(location).rstrip("/")
    parent, _, last = folder.rpartition("/")
    if last == NAME:
        folder = parent or "."
    url = files.join(folder, NAME)
    content = files.read_bytes(url, limit=_LARGEST)
    if content is None:
        raise UsageError(
            f"data must be a folder with a {NAME}, but {files.shown(url)} does not exist: make it "
            "with `data pack` or `data synth`."
        )
    return Data(folder, parse(content, files.shown(url)))


def parse(content: bytes, url: str) -> Manifest:
    """A manifest from its JSON bytes; `url` is for messages.

    Raises:
        DataError: not JSON, of another schema version, or with missing or unknown fields.
    """
    try:
        value = outside.json_value(content)
        schema = value["schema"]
    except (ValueError, KeyError, TypeError) as error:
        raise DataError(f"{url} is not a manifest ({error}); pack the data again.") from error
    if type(schema) is not int or schema != SCHEMA:
        raise DataError(
            f"{url} has schema version {outside.shown(schema)}, but this program reads {SCHEMA}; "
            "pack the data again."
        )
    try:
        splits = {name: _split(split) for name, split in value.pop("splits").items()}
        return Manifest(splits=splits, **value)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise DataError(f"{url} is damaged ({error}); pack the data again.") from error


def _voices(speech: object) -> object:
    return outside.typed("speech", speech, dict).get("voices", [])


def _split(value: dict[str, Any]) -> Split:
    return Split(
        classes=[ClassCount(**item) for item in value["classes"]],
        shards=[Shard(**item) for item in value["shards"]],
    )
