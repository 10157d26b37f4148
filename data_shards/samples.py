"""Single samples of a split, undecoded: what pictures show. A shard is read whole for each.

A sample's *row* is its place in the split, in the manifest's order.
"""

import itertools
from collections.abc import Iterable, Iterator

from data_shards import draws
from data_shards.manifest import Data
from data_shards.raw import Raw, raw_samples


def at_rows(data: Data, split: str, rows: Iterable[int]) -> dict[int, Raw]:
    """The samples at these rows; one that is not whole is missing. Only their shards are read.

    Raises:
        DataError: a shard is missing or damaged.
    """
    wanted = set(rows)
    shards = data.manifest.splits[split].shards
    ends = itertools.accumulate((shard.samples for shard in shards), initial=0)
    found: dict[int, Raw] = {}
    for shard, (start, end) in zip(shards, itertools.pairwise(ends), strict=True):
        if wanted.isdisjoint(range(start, end)):
            continue
        for row, raw in enumerate(raw_samples(data, shard), start=start):
            if row in wanted and isinstance(raw, Raw):
                found[row] = raw
    return found


def of_classes(data: Data, split: str, count: int, *, seed: int) -> list[Raw]:
    """`count` samples, each of another class, drawn with the seed; fewer if the split has fewer.

    As few shards are read as have so many classes.

    Raises:
        DataError: a shard is missing or damaged.
    """
    found: dict[int, Raw] = {}
    for raw in _shuffled(data, split, seed):
        if len(found) < count:
            found.setdefault(raw.class_id, raw)
        else:
            break
    return list(found.values())


def _shuffled(data: Data, split: str, seed: int) -> Iterator[Raw]:
    """Whole samples, shard after shard; shards and the samples of each in an order drawn."""
    shards = data.manifest.splits[split].shards
    for number in draws.rng(seed, "shown shards", split).permutation(len(shards)):
        raws = [raw for raw in raw_samples(data, shards[number]) if isinstance(raw, Raw)]
        order = draws.rng(seed, "shown samples", split, int(number)).permutation(len(raws))
        yield from (raws[index] for index in order)


def class_names(data: Data, split: str) -> dict[int, str]:
    """Names of a split's classes by their numbers."""
    return {counted.id: counted.name for counted in data.manifest.splits[split].classes}
