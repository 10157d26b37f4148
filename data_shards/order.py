"""The order of an epoch, the same for streamed and for cached samples."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TypeVar

import numpy as np

from data_shards import draws
from data_shards.errors import UsageError

Item = TypeVar("Item")
BUFFER = 2048  # samples held to mix shards


def shard_order(count: int, *, seed: int, epoch: int) -> list[int]:
    """In which order the `count` shards of an epoch are read."""
    return [int(index) for index in draws.rng(seed, "shards", epoch).permutation(count)]


def sample_rng(*, seed: int, epoch: int) -> np.random.Generator:
    """The generator of an epoch's shuffle buffer."""
    return draws.rng(seed, "samples", epoch)


def shuffled(
    items: Iterable[Item], rng: np.random.Generator, *, buffer: int = BUFFER
) -> Iterator[Item]:
    """Items mixed through a buffer; the draws depend on the number of items alone."""
    pool: list[Item] = []
    for item in items:
        pool.append(item)
        if len(pool) == buffer:
            yield _take(pool, rng)
    while pool:
        yield _take(pool, rng)


def _take(pool: list[Item], rng: np.random.Generator) -> Item:
    index = int(rng.integers(len(pool)))
    pool[index], pool[-1] = pool[-1], pool[index]
    return pool.pop()


def batched(items: Iterable[Item], size: int) -> Iterator[list[Item]]:
    """Lists of `size` items; a smaller rest is dropped.

    Raises:
        UsageError: the items do not fill a single list, so that an epoch would train on nothing.
    """
    items = iter(items)
    batch = list(islice(items, size))
    if len(batch) < size:
        raise UsageError(
            f"batch_size must be at most the number of readable training images, {len(batch)}, "
            f"but got {size}: use --set batch_size=N."
        )
    while len(batch) == size:
        yield batch
        batch = list(islice(items, size))


def caption_choice(count: int, *, seed: int, epoch: int, image_id: str) -> int:
    """Which of an image's `count` captions the epoch uses."""
    return draws.key(seed, "caption", epoch, image_id) % count


def voice_choice(count: int, *, seed: int, image_id: str) -> int:
    """Which of an image's `count` captions all epochs use."""
    return draws.key(seed, "training voice", image_id) % count


def view_choice(count: int, *, seed: int, epoch: int, image_id: str) -> int:
    """Which of an image's `count` views the epoch uses."""
    return draws.key(seed, "view", epoch, image_id) % count
