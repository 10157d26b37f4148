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
from data_shards.front_end import FrontEnd, frames_of
from data_shards.logmel import RATE
from data_shards.manifest import Data, Shard
from data_shards.views import Pixels, View
from data_shards.voices import ALL, Voices

SUFFIXES = ("jpg", "flac", "json")  # anything else (.pyd, .pkl: code) is refused


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
        texts = [str(caption.get("text", "")) for caption in about["captions"]]
        voices = [str(caption["voice"]) for caption in about["captions"]]
    except (KeyError, ValueError, TypeError, AttributeError) as error:
        return f"{where}: {type(error).__name__} {error}"
    if not texts:
        return f"{where}: no captions"
    flacs = [_member(sample, f"{number}.flac") for number in range(len(texts))]
    return Raw(image_id, _member(sample, "jpg"), flacs, class_id, texts, voices, where)


def _member(sample: dict[str, Any], suffix: str) -> bytes:
    """A member of a sample; that it is not there means that the shard was cut or changed."""
    if suffix not in sample:
        raise _damaged(sample["__url__"], f"{sample['__key__']} lacks its {suffix}")
    content: bytes = sample[suffix]
    return content


def decode_speech(flac: bytes, front: FrontEnd) -> Float[Tensor, "T F"]:
    """Frames of a FLAC, float16; raises as `_wave`."""
    return frames_of(_wave(flac), front)


def _wave(flac: bytes) -> Float[Tensor, " N"]:
    """Samples of a FLAC.

    Raises:
        ValueError: it cannot be decoded, or is not 16 kHz mono.
    """
    try:
        wave, rate = soundfile.read(io.BytesIO(flac), dtype="float32")
    except soundfile.SoundFileError as error:
        raise ValueError(str(error)) from error
    if rate != RATE or wave.ndim != 1 or not len(wave):
        raise ValueError(f"speech must be mono at {RATE} Hz, but is {wave.shape} at {rate}")
    return torch.from_numpy(wave)


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
            speech = _wave(raw.flacs[wanted[chosen]])
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
