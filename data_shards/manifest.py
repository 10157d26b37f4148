"""The manifest: what a packed data set holds. Its hash names the data in every record."""

import dataclasses
import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from data_shards import files
from data_shards.cache_folder import shard_limit
from data_shards.errors import DataError, UsageError

SCHEMA = 1
NAME = "manifest.json"
SPLITS = ("train", "val", "test")


@dataclass(frozen=True)
class Shard:
    """One tar file of a split: its name beside the manifest, counts, and SHA-256 of its bytes."""

    name: str
    samples: int
    captions: int
    sha256: str


@dataclass(frozen=True)
class ClassCount:
    """A class of a split and how much of it was packed."""

    id: int
    name: str
    images: int
    captions: int


@dataclass(frozen=True)
class Split:
    """A split: whole classes (class-disjoint from the other splits) in numbered shards."""

    classes: list[ClassCount]
    shards: list[Shard]

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
    content = files.read_bytes(url)
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
        value = json.loads(content)
        schema = value["schema"]
    except (ValueError, KeyError, TypeError) as error:
        raise DataError(f"{url} is not a manifest ({error}); pack the data again.") from error
    if schema != SCHEMA:
        raise DataError(
            f"{url} has schema version {schema!r}, but this program reads {SCHEMA}; "
            "pack the data again."
        )
    try:
        splits = {name: _split(split) for name, split in value.pop("splits").items()}
        return Manifest(splits=splits, **value)
    except (KeyError, TypeError, AttributeError) as error:
        raise DataError(f"{url} is damaged ({error}); pack the data again.") from error


def _split(value: dict[str, Any]) -> Split:
    return Split(
        classes=[ClassCount(**item) for item in value["classes"]],
        shards=[Shard(**item) for item in value["shards"]],
    )
