"""Packed data: its manifest, its shards by name and end, and enough of them."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from data_shards import files, manifest
from data_shards.cache_folder import cache_folder, shard_limit
from data_shards.errors import DataError, UsageError
from data_shards.manifest import Data, Shard
from orchestrator.built_in import FOLDER
from orchestrator.doctor.check import Asked, Check, error, ok, warning
from orchestrator.doctor.disk import free, size
from orchestrator.storage import READERS

_TAR_END = bytes(1024)  # two empty blocks; where it is cut, something else stands
_SHOWN = 5


def checks(asked: Asked) -> Iterator[Check]:
    """Each data set that is named; else the built-in one, if it is there."""
    places = asked.data or ((FOLDER,) if Path(FOLDER).exists() else ())
    if not places:
        yield ok("data", "the built-in set, made at its first use")
    for place in places:
        try:
            data = manifest.load(place)
        except (UsageError, DataError) as problem:
            yield error("data", str(problem))
            continue
        yield from _shards(data)
        yield from _workers(data, asked.resources.loader_workers)
        yield from _cache(data)


def _shards(data: Data) -> Iterator[Check]:
    """Only the last bytes are asked for; `data verify` reads everything."""
    shards = [shard for split in data.manifest.splits.values() for shard in split.shards]
    with ThreadPoolExecutor(READERS) as pool:
        found = [problem for problem in pool.map(lambda s: _shard(data, s), shards) if problem]
    shown = files.shown(data.folder)
    for problem in found[:_SHOWN]:
        yield error("data", f"{problem} in {shown}", "pack the data again, or copy it again")
    if len(found) > _SHOWN:
        yield error("data", f"{len(found) - _SHOWN} more shards of {shown} are missing or cut")
    if not found:
        text = f"{data.manifest.dataset} in {shown}: {len(shards)} shards, none missing or cut"
        yield ok("data", f"{text} (`data verify` reads them whole)")


def _shard(data: Data, shard: Shard) -> str:
    end = files.tail(data.shard_url(shard), len(_TAR_END))
    if end is None:
        return f"{shard.name} is missing"
    return "" if end == _TAR_END else f"{shard.name} is cut short"


def _workers(data: Data, workers: int) -> Iterator[Check]:
    train = data.manifest.splits.get("train")
    if train and len(train.shards) < workers:
        text = f"{len(train.shards)} training shards for {workers} loader workers: some get none"
        yield warning(
            "data", text, f"give --loader-workers {len(train.shards)}, or pack more shards"
        )


def _cache(data: Data) -> Iterator[Check]:
    """A node keeps the shards that it has fetched."""
    if files.is_remote(data.folder) and (room := free(cache_folder())) < shard_limit():
        text = (
            f"remote shards may take {size(shard_limit())} of {cache_folder()}, {size(room)} free"
        )
        advice = "set VFSEL_CACHE to a larger disk, or VFSEL_CACHE_GB to less"
        yield warning("data", text, advice)
