"""Batches from derived columns: the same order and captions as from the streamed shards."""

from collections.abc import Iterator, Sequence
from itertools import chain

import numpy as np
import torch
from torch import Tensor

from data_shards import order
from data_shards.batches import Batch, pad
from data_shards.columns import SplitFeatures

Row = tuple[SplitFeatures, int]


def cached_batches(
    features: Sequence[SplitFeatures], *, seed: int, epoch: int, batch_size: int
) -> Iterator[Batch]:
    """An epoch's batches, one random caption an image; the last, smaller batch is dropped.

    Raises:
        DataError: no image has a caption in the voices asked for.
        UsageError: there are fewer images than a batch holds.
    """
    shards = [[(split, row) for row in rows] for split in features for rows in split.shard_rows()]
    if not any(shards) and any(split.unspoken for split in features):
        raise features[0].voices.missing("an image to train on")
    ordered = [shards[i] for i in order.shard_order(len(shards), seed=seed, epoch=epoch)]
    rows = order.shuffled(chain(*ordered), order.sample_rng(seed=seed, epoch=epoch))
    for batch in order.batched(rows, batch_size):
        yield _batch(batch, seed=seed, epoch=epoch)


def _batch(rows: list[Row], *, seed: int, epoch: int) -> Batch:
    ids = [split.images.ids[row] for split, row in rows]
    images = [split.view(row, seed=seed, epoch=epoch) for split, row in rows]
    captions = [_caption(item, seed=seed, epoch=epoch) for item in rows]
    frames_BTF, length_B = pad(captions)
    return Batch(
        image=torch.from_numpy(np.stack(images)),
        frames_BTF=frames_BTF,
        length_B=length_B,
        class_B=torch.tensor([split.images.classes[row] for split, row in rows]),
        image_ids=ids,
    )


def _caption(item: Row, *, seed: int, epoch: int) -> Tensor:
    split, row = item
    image_id, wanted = split.images.ids[row], split.wanted(row)
    chosen = order.caption_choice(len(wanted), seed=seed, epoch=epoch, image_id=image_id)
    return split.frames(wanted[chosen])


def image_chunks(features: SplitFeatures, size: int) -> Iterator[Tensor]:
    """All whole images of a split in order, `size` at a time."""
    for start in range(0, len(features.rows), size):
        yield torch.from_numpy(
            np.array(features.images.values[features.rows[start : start + size]])
        )


def caption_chunks(features: SplitFeatures, size: int) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
    """All captions that take part, sorted by length: (places, frames_BTF, length_B) a chunk.

    Place m is the row of `features.caption_classes`.
    """
    captions = features.captions
    length_M = np.diff(features.speech.starts)[captions]
    by_length = np.argsort(length_M, kind="stable")
    for start in range(0, len(by_length), size):
        places = by_length[start : start + size]
        frames_BTF, length_B = pad([features.frames(int(captions[m])) for m in places])
        yield torch.from_numpy(places), frames_BTF, length_B
