"""The undecoded samples of a shard, checked as they are read."""

import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from webdataset.tariterators import group_by_keys

from data_shards import files, outside, shard_cache
from data_shards.errors import DataError
from data_shards.manifest import LARGEST_NUMBER, Data, Shard
from data_shards.tar_members import ForeignMember, members

MOST_CAPTIONS = 1000
_LARGEST_TEXT = 2**20  # bytes of a sample's JSON


@dataclass(frozen=True)
class Raw:
    """An undecoded sample: one image with all its spoken captions."""

    image_id: str
    jpeg: bytes
    flacs: list[bytes]
    class_id: int
    texts: list[str]
    """What its captions say; "" where a text is not kept."""
    voices: list[str]
    """Who speaks each caption."""
    where: str
    """Its name and shard, for messages."""


def raw_samples(data: Data, shard: Shard) -> Iterator[Raw | str]:
    """The samples of a shard in order; a text says what is wrong with one that is not whole.

    Raises:
        DataError: the shard is missing or changed, lacks members or holds others than ours.
    """
    url = data.shard_url(shard)
    classes = data.manifest.classes_beside(shard)
    count = 0
    try:
        content = shard_cache.content(data, shard)
        named = ({"fname": name, "data": part, "__url__": url} for name, part in members(content))
        for sample in group_by_keys(named, handler=_grouping_failed):
            count += 1
            yield _raw(sample, classes)
    except ForeignMember as error:
        raise DataError(
            f"shard {files.shown(url)} {error}: it is not ours; pack the data again."
        ) from error
    except FileNotFoundError as error:
        raise DataError(f"shard {files.shown(url)} is missing; pack the data again.") from error
    except tarfile.TarError as error:
        raise _damaged(url) from error
    if count != shard.samples:
        raise _damaged(url, f"it has {count} samples, the manifest says {shard.samples}")


def _damaged(url: str, why: str = "it cannot be read to its end") -> DataError:
    url = files.shown(url)
    return DataError(f"shard {url} is damaged: {why}; see `data verify` and pack the data again.")


def _grouping_failed(error: Exception) -> bool:
    """WebDataset asks here what to do when a sample has a member twice."""
    raise tarfile.ReadError(str(error)) from error


def _raw(sample: dict[str, Any], classes: set[int]) -> Raw | str:
    key, where = sample["__key__"], f"{sample['__key__']} in {files.shown(sample['__url__'])}"
    content = _member(sample, "json")
    try:
        about = _checked(content, key, classes)
    except (KeyError, ValueError, TypeError, AttributeError) as error:
        return f"{where}: {type(error).__name__} {error}"
    texts = [caption.get("text", "") for caption in about["captions"]]
    voices = [caption["voice"] for caption in about["captions"]]
    if not texts:
        return f"{where}: no captions"
    flacs = [_member(sample, f"{number}.flac") for number in range(len(texts))]
    return Raw(key, _member(sample, "jpg"), flacs, about["class_id"], texts, voices, where)


def _checked(content: bytes, key: str, classes: set[int]) -> dict[str, Any]:
    """What a sample's JSON says, with the types that we read."""
    if len(content) > _LARGEST_TEXT:
        raise ValueError(f"it must have at most {_LARGEST_TEXT} bytes, but has {len(content)}")
    about: dict[str, Any] = outside.typed("it", outside.json_value(content), dict)
    if about["image_id"] != key:
        raise ValueError(f"image_id must be {key!r}, but is {outside.shown(about['image_id'])}")
    outside.count("class_id", about["class_id"], most=LARGEST_NUMBER)
    if about["class_id"] not in classes:
        raise ValueError(f"class {about['class_id']} is none of its split's classes")
    captions = outside.typed("captions", about["captions"], list)
    outside.count("captions", len(captions), most=MOST_CAPTIONS)
    for caption in captions:
        outside.typed("a caption's text", caption.get("text", ""), str)
        outside.line("a voice", caption["voice"], longest=200)
    return about


def _member(sample: dict[str, Any], suffix: str) -> bytes:
    """A member of a sample; that it is not there means that the shard was cut or changed."""
    if suffix not in sample:
        raise _damaged(sample["__url__"], f"{sample['__key__']} lacks its {suffix}")
    content: bytes = sample[suffix]
    return content
