"""Shards as streams: WebDataset over bytes that we read and check, decoded as they come."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import numpy as np
import torch
import webdataset
from jaxtyping import Float
from torch import Tensor
from torch.utils.data import DataLoader

from data_shards import loader_death, order
from data_shards.batches import Batch, pad
from data_shards.errors import DataError
from data_shards.front_end import FrontEnd, frames_of
from data_shards.manifest import Data, Shard
from data_shards.raw import Raw, raw_samples
from data_shards.sound import wave
from data_shards.views import Pixels, View
from data_shards.voices import ALL, Voices


@dataclass(frozen=True)
class Example:
    """A decoded training sample: one view and one caption."""

    image_id: str
    class_id: int
    pixels: Pixels
    speech: Float[Tensor, "..."]
    """Frames (T, F); or the waveform (N), of which they are made outside the loader processes."""


@dataclass
class Broken:
    """Counts unreadable samples of a split and fails above a share of it.

    A damaged shard is not counted but fails at once: nobody knows what it has lost.

    Args:
        limit: the share, 0 to 1.
        samples: number of samples of the split.
    """

    limit: float
    samples: int
    reasons: list[str] = field(default_factory=list)
    unspoken: int = 0
    """Readable samples left out since no caption is in the voices asked for."""

    def add(self, reason: str) -> None:
        """Count one.

        Raises:
            DataError: that is one too many; names the sample.
        """
        self.reasons.append(reason)
        self.check()

    def check(self) -> None:
        """Fail if too many are counted.

        Raises:
            DataError: names the last sample.
        """
        if len(self.reasons) > self.limit * self.samples:
            raise DataError(
                f"at most {self.limit:.2%} of {self.samples} samples may be unreadable "
                f"(max_broken), but {len(self.reasons)} are, the last one: {self.reasons[-1]}."
            )


Loaded = list[Example | str | None] | DataError
"""The samples of a shard: a text says what is wrong with one, None that no wanted voice speaks."""


@dataclass(frozen=True)
class _Decoder:
    """Whole shards → examples. Runs in loader processes: shard i goes to worker i mod W."""

    data: Data
    shards: list[Shard]
    view: View
    front: FrontEnd
    voices: Voices
    seed: int
    epoch: int

    def __call__(self, _: Any = None) -> Iterator[Loaded]:
        worker = torch.utils.data.get_worker_info()
        first, step = (worker.id, worker.num_workers) if worker else (0, 1)
        for shard in islice(self.shards, first, None, step):
            try:
                yield [self._decode(raw) for raw in raw_samples(self.data, shard)]
            except DataError as error:  # raised where it is read, without a worker's traceback
                yield error

    def _decode(self, raw: Raw | str) -> Example | str | None:
        if isinstance(raw, str):
            return raw
        wanted = self.voices.captions(raw.image_id, raw.voices)
        if not wanted:
            return None
        draws = {"seed": self.seed, "epoch": self.epoch, "image_id": raw.image_id}
        chosen = order.caption_choice(len(wanted), **draws)  # type: ignore[arg-type]
        try:
            pixels = self.view(raw.jpeg, **draws)  # type: ignore[arg-type]
            speech = wave(raw.flacs[wanted[chosen]])
            speech = frames_of(speech, self.front) if self.front.in_workers else speech
        except (OSError, ValueError, SyntaxError) as error:
            return f"{raw.where}: {error}"
        return Example(raw.image_id, raw.class_id, pixels, speech)


def streamed_batches(
    data: Data,
    splits: Sequence[str],
    *,
    view: View,
    front: FrontEnd,
    seed: int,
    epoch: int,
    batch_size: int,
    workers: int,
    broken: Broken,
    voices: Voices = ALL,
) -> Iterator[Batch]:
    """An epoch's batches, decoded as the shards stream by; the last, smaller one is dropped.

    A loader process decodes whole shards, and the loader takes from the processes in turn: the
    shards arrive in the epoch's order however many processes there are.

    Raises:
        DataError: a shard is damaged, more samples are than `broken` allows, which counts them, or
            none has a caption in `voices`.
        UsageError: there are fewer images than a batch holds.
        WorkerDied: a loader process was killed.
    """
    shards = [shard for name in splits for shard in data.manifest.splits[name].shards]
    ordered = [shards[i] for i in order.shard_order(len(shards), seed=seed, epoch=epoch)]
    decoder = _Decoder(data, ordered, view, front, voices, seed, epoch)
    examples = order.shuffled(
        _whole(_load(decoder, min(workers, len(shards))), broken, voices),
        order.sample_rng(seed=seed, epoch=epoch),
    )
    for batch in order.batched(examples, batch_size):
        yield _collate(batch, front)


def _load(decoder: _Decoder, workers: int) -> Iterator[Loaded]:
    pipeline = webdataset.DataPipeline(decoder)
    return loader_death.named(
        iter(
            DataLoader(
                pipeline,
                batch_size=None,
                num_workers=workers,
                multiprocessing_context="fork" if workers else None,
                collate_fn=_as_it_is,
                generator=torch.Generator(),  # else it draws from the global one
            )
        )
    )


def _as_it_is(item: Any) -> Any:
    return item


def _whole(loaded: Iterator[Loaded], broken: Broken, voices: Voices) -> Iterator[Example]:
    whole = 0
    for item in loaded:
        if isinstance(item, DataError):
            raise item
        for example in item:
            if isinstance(example, str):
                broken.add(example)
            elif example is None:
                broken.unspoken += 1
            else:
                whole += 1
                yield example
    if broken.unspoken and not whole:
        raise voices.missing("an image to train on")


def _collate(examples: list[Example], front: FrontEnd) -> Batch:
    speech = [example.speech for example in examples]
    frames = speech if front.in_workers else [frames_of(wave_N, front) for wave_N in speech]
    frames_BTF, length_B = pad(frames)
    return Batch(
        image=torch.from_numpy(np.stack([example.pixels for example in examples])),
        frames_BTF=frames_BTF,
        length_B=length_B,
        class_B=torch.tensor([example.class_id for example in examples]),
        image_ids=[example.image_id for example in examples],
    )
