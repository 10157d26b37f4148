"""Shards as streams: WebDataset over bytes that we read and check, decoded as they come."""

import io
import json
import tarfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import numpy as np
import soundfile
import torch
import webdataset
from jaxtyping import Float
from torch import Tensor
from torch.utils.data import DataLoader
from webdataset.tariterators import group_by_keys, tar_file_expander

from data_shards import files, order, shard_cache
from data_shards.batches import Batch, pad
from data_shards.errors import DataError
from data_shards.logmel import RATE, LogMel
from data_shards.manifest import Data, Shard
from data_shards.views import Pixels, View

SUFFIXES = ("jpg", "flac", "json")  # anything else (.pyd, .pkl: code) is refused


@dataclass(frozen=True)
class Raw:
    """An undecoded sample: one image with all its spoken captions."""

    image_id: str
    jpeg: bytes
    flacs: list[bytes]
    class_id: int
    where: str
    """Its name and shard, for messages."""


@dataclass(frozen=True)
class Example:
    """A decoded training sample: one view and one caption."""

    image_id: str
    class_id: int
    pixels: Pixels
    frames_TF: Float[Tensor, "T F"]


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


class _ForeignMember(Exception):  # noqa: N818 (caught below, never seen)
    """A tar member that we do not write. WebDataset spoils the text of what passes through it."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


def raw_samples(data: Data, shard: Shard) -> Iterator[Raw | str]:
    """The samples of a shard in order; a text says what is wrong with one that is not whole.

    Raises:
        DataError: the shard is missing or changed, lacks members or holds others than ours.
    """
    url = data.shard_url(shard)
    count = 0
    try:
        stream = io.BytesIO(shard_cache.content(data, shard))
        members = tar_file_expander([{"url": url, "stream": stream}], select_files=_allowed)
        for sample in group_by_keys(members, handler=_grouping_failed):
            count += 1
            yield _raw(sample)
    except _ForeignMember as error:
        raise DataError(
            f"shard {files.shown(url)} must hold only {', '.join(SUFFIXES)} members, but has "
            f"{error.name!r}: it is not ours; pack the data again."
        ) from error
    except FileNotFoundError as error:
        raise DataError(f"shard {files.shown(url)} is missing; pack the data again.") from error
    except (tarfile.TarError, EOFError, OSError) as error:
        raise _damaged(url) from error
    if count != shard.samples:
        raise _damaged(url, f"it has {count} samples, the manifest says {shard.samples}")


def _damaged(url: str, why: str = "it cannot be read to its end") -> DataError:
    url = files.shown(url)
    return DataError(f"shard {url} is damaged: {why}; see `data verify` and pack the data again.")


def _allowed(name: str) -> bool:
    if name.rsplit(".", 1)[-1] not in SUFFIXES:
        raise _ForeignMember(name)
    return True


def _grouping_failed(error: Exception) -> bool:
    """WebDataset asks here what to do when a sample has a member twice."""
    raise tarfile.ReadError(str(error)) from error


def _raw(sample: dict[str, Any]) -> Raw | str:
    where = f"{sample['__key__']} in {files.shown(sample['__url__'])}"
    content = _member(sample, "json")
    try:
        about = json.loads(content)
        image_id, class_id = str(about["image_id"]), int(about["class_id"])
        captions = len(about["captions"])
    except (KeyError, ValueError, TypeError) as error:
        return f"{where}: {type(error).__name__} {error}"
    if not captions:
        return f"{where}: no captions"
    flacs = [_member(sample, f"{number}.flac") for number in range(captions)]
    return Raw(image_id, _member(sample, "jpg"), flacs, class_id, where)


def _member(sample: dict[str, Any], suffix: str) -> bytes:
    """A member of a sample; that it is not there means that the shard was cut or changed."""
    if suffix not in sample:
        raise _damaged(sample["__url__"], f"{sample['__key__']} lacks its {suffix}")
    content: bytes = sample[suffix]
    return content


def decode_speech(flac: bytes, logmel: LogMel) -> Float[Tensor, "T F"]:
    """Log-mel frames of a FLAC, float16: streamed as they are cached, so that results are equal.

    Raises:
        ValueError: it cannot be decoded, or is not 16 kHz mono.
    """
    try:
        wave, rate = soundfile.read(io.BytesIO(flac), dtype="float32")
    except soundfile.SoundFileError as error:
        raise ValueError(str(error)) from error
    if rate != RATE or wave.ndim != 1 or not len(wave):
        raise ValueError(f"speech must be mono at {RATE} Hz, but is {wave.shape} at {rate}")
    return logmel(torch.from_numpy(wave)).half()


@dataclass(frozen=True)
class _Decoder:
    """Whole shards → examples. Runs in loader processes: shard i goes to worker i mod W."""

    data: Data
    shards: list[Shard]
    view: View
    logmel: LogMel
    seed: int
    epoch: int

    def __call__(self, _: Any = None) -> Iterator[list[Example | str] | DataError]:
        worker = torch.utils.data.get_worker_info()
        first, step = (worker.id, worker.num_workers) if worker else (0, 1)
        for shard in islice(self.shards, first, None, step):
            try:
                yield [self._decode(raw) for raw in raw_samples(self.data, shard)]
            except DataError as error:  # raised where it is read, without a worker's traceback
                yield error

    def _decode(self, raw: Raw | str) -> Example | str:
        if isinstance(raw, str):
            return raw
        draws = {"seed": self.seed, "epoch": self.epoch, "image_id": raw.image_id}
        chosen = order.caption_choice(len(raw.flacs), **draws)  # type: ignore[arg-type]
        try:
            pixels = self.view(raw.jpeg, **draws)  # type: ignore[arg-type]
            frames_TF = decode_speech(raw.flacs[chosen], self.logmel)
        except (OSError, ValueError, SyntaxError) as error:
            return f"{raw.where}: {error}"
        return Example(raw.image_id, raw.class_id, pixels, frames_TF)


def streamed_batches(
    data: Data,
    splits: Sequence[str],
    *,
    view: View,
    logmel: LogMel,
    seed: int,
    epoch: int,
    batch_size: int,
    workers: int,
    broken: Broken,
) -> Iterator[Batch]:
    """An epoch's batches, decoded as the shards stream by; the last, smaller one is dropped.

    A loader process decodes whole shards, and the loader takes from the processes in turn: the
    shards arrive in the epoch's order however many processes there are.

    Raises:
        DataError: a shard is damaged, or more samples are than `broken` allows, which counts them.
        UsageError: there are fewer images than a batch holds.
    """
    shards = [shard for name in splits for shard in data.manifest.splits[name].shards]
    ordered = [shards[i] for i in order.shard_order(len(shards), seed=seed, epoch=epoch)]
    decoder = _Decoder(data, ordered, view, logmel, seed, epoch)
    examples = order.shuffled(
        _whole(_load(decoder, min(workers, len(shards))), broken),
        order.sample_rng(seed=seed, epoch=epoch),
    )
    for batch in order.batched(examples, batch_size):
        yield _collate(batch)


def _load(decoder: _Decoder, workers: int) -> Iterator[list[Example | str] | DataError]:
    pipeline = webdataset.DataPipeline(decoder)
    return iter(
        DataLoader(
            pipeline,
            batch_size=None,
            num_workers=workers,
            multiprocessing_context="fork" if workers else None,
            collate_fn=_as_it_is,
            generator=torch.Generator(),  # else it draws from the global one
        )
    )


def _as_it_is(item: Any) -> Any:
    return item


def _whole(loaded: Iterator[list[Example | str] | DataError], broken: Broken) -> Iterator[Example]:
    for item in loaded:
        if isinstance(item, DataError):
            raise item
        for example in item:
            if isinstance(example, str):
                broken.add(example)
            else:
                yield example


def _collate(examples: list[Example]) -> Batch:
    frames_BTF, length_B = pad([example.frames_TF for example in examples])
    return Batch(
        image=torch.from_numpy(np.stack([example.pixels for example in examples])),
        frames_BTF=frames_BTF,
        length_B=length_B,
        class_B=torch.tensor([example.class_id for example in examples]),
        image_ids=[example.image_id for example in examples],
    )
