"""Derived columns: what no trial trains, computed once, memory-mapped by all trials of a node.

A column is a folder in the cache, named by the hash of (manifest, split, transform with its
weights, view): NumPy arrays and an `index.json`. That it is made once is `feature_store.py`'s care.
"""

import hashlib
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from data_shards.columns import Array, ImageColumn, SpeechColumn
from data_shards.errors import DataError
from data_shards.feature_store import Store
from data_shards.front_end import FrontEnd
from data_shards.manifest import Data
from data_shards.progress import Advance
from data_shards.raw import Raw, raw_samples
from data_shards.sound import decode_speech
from data_shards.stream import Broken
from data_shards.views import View

CHUNK = 64  # images a call of the transform


def derive_images(
    data: Data,
    split: str,
    *,
    key: str,
    view: View,
    number: int = 0,
    transform: Callable[[Tensor], Tensor],
    store: Store,
    max_broken: float,
) -> ImageColumn:
    """One of the views of every image of a split, transformed.

    Args:
        key: names the transform; equal keys, equal results.
        number: which of the `view.columns` views.
        transform: uint8 pixels (B, 3, S, S) → uint8 (kept) or floats (kept as float16).
        store: the node's columns.

    Raises:
        DataError: a shard is damaged, or more than `max_broken` of the images are.
    """

    def write(target: Path, advance: Advance) -> None:
        broken = Broken(max_broken, data.manifest.splits[split].samples)
        rows = _Rows()
        values: Array | None = None
        for chunk in _chunks(data, split, view, number, broken, rows):
            found = transform(torch.from_numpy(np.stack([pixels for _, pixels in chunk])))
            found = found if found.dtype == torch.uint8 else found.half()
            if values is None:
                values = _allocate(target, broken.samples, found)
            values[[row for row, _ in chunk]] = found.numpy()
            advance(len(chunk))
        if values is None:
            raise DataError(f"split {split!r} must hold a readable image, but has none.")
        rows.save(target, broken)

    name = _name(data, split, f"image-{key}{view.key(number)}")
    folder = store.once(name, write, samples=data.manifest.splits[split].samples)
    index = _index(folder, max_broken)
    return ImageColumn(
        **index, values=np.load(folder / "values.npy", mmap_mode="r", allow_pickle=False)
    )


def derive_speech(
    data: Data, split: str, *, front: FrontEnd, store: Store, max_broken: float
) -> SpeechColumn:
    """Frames of every caption of a split, each made by itself; `store` as for images.

    Raises:
        DataError: a shard is damaged, or more than `max_broken` of the images have a bad caption.
    """

    def write(target: Path, advance: Advance) -> None:
        broken = Broken(max_broken, data.manifest.splits[split].samples)
        rows = _Rows()
        lengths: list[int] = []
        counts: list[int] = []
        voices: list[str] = []
        with (target / "frames.bin").open("wb") as stream:
            for raw in _raw(data, split, broken, rows):
                frames = _speech(raw, front, broken) if raw else []
                if raw and not frames:
                    rows.lose()
                stream.writelines(part.numpy().tobytes() for part in frames)
                lengths += [len(part) for part in frames]
                counts.append(len(frames))
                voices += raw.voices if raw and frames else []
                advance(1)
        np.save(target / "starts.npy", np.cumsum([0, *lengths]))
        np.save(target / "first.npy", np.cumsum([0, *counts]))
        np.save(target / "voices.npy", np.array(voices))
        rows.save(target, broken)

    samples = data.manifest.splits[split].samples
    folder = store.once(_name(data, split, f"{front.key} voices"), write, samples=samples)
    starts = np.load(folder / "starts.npy", allow_pickle=False)
    shape = (int(starts[-1]), front.width)
    frames_TF = np.memmap(folder / "frames.bin", dtype=np.float16, mode="r", shape=shape)
    first = np.load(folder / "first.npy", allow_pickle=False)
    voices = np.load(folder / "voices.npy", mmap_mode="r", allow_pickle=False)
    index = _index(folder, max_broken)
    return SpeechColumn(**index, frames_TF=frames_TF, starts=starts, first=first, voices=voices)


class _Rows:
    """Ids and classes of the rows written so far."""

    def __init__(self) -> None:
        self.ids: list[str] = []
        self.classes: list[int] = []

    def add(self, raw: Raw | None) -> None:
        self.ids.append(raw.image_id if raw else "")
        self.classes.append(raw.class_id if raw else -1)

    def lose(self) -> None:
        """The last row turned out unreadable."""
        self.ids[-1], self.classes[-1] = "", -1

    def save(self, target: Path, broken: Broken) -> None:
        index = {"ids": self.ids, "classes": self.classes, "broken": broken.reasons}
        (target / "index.json").write_text(json.dumps(index))


def _raw(data: Data, split: str, broken: Broken, rows: _Rows) -> Iterator[Raw | None]:
    """Samples of a split in manifest order; None for one that is not whole."""
    for shard in data.manifest.splits[split].shards:
        for raw in raw_samples(data, shard):
            if isinstance(raw, str):
                broken.add(raw)
            whole = None if isinstance(raw, str) else raw
            rows.add(whole)
            yield whole


def _chunks(
    data: Data, split: str, view: View, number: int, broken: Broken, rows: _Rows
) -> Iterator[list[tuple[int, Array]]]:
    """Decoded views with their row numbers, some at a time."""
    chunk: list[tuple[int, Array]] = []
    for row, raw in enumerate(_raw(data, split, broken, rows)):
        if raw is None:
            continue
        try:
            chunk.append((row, view.nth(raw.jpeg, number, image_id=raw.image_id)))
        except (OSError, ValueError, SyntaxError) as error:
            broken.add(f"{raw.where}: {error}")
            rows.lose()
        if len(chunk) == CHUNK:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


def _speech(raw: Raw, front: FrontEnd, broken: Broken) -> list[Tensor]:
    """Frames of all captions of an image; none if one of them is unreadable."""
    try:
        return [decode_speech(flac, front) for flac in raw.flacs]
    except ValueError as error:
        broken.add(f"{raw.where}: {error}")
        return []


def _allocate(target: Path, samples: int, like: Tensor) -> Array:
    shape, path = (samples, *like.shape[1:]), target / "values.npy"
    kind = np.uint8 if like.dtype == torch.uint8 else np.float16
    values: Array = np.lib.format.open_memmap(path, mode="w+", dtype=kind, shape=shape)
    with path.open("r+b") as stream:  # writing to a map on a full disk would kill the process
        os.posix_fallocate(stream.fileno(), 0, path.stat().st_size)
    return values


def _name(data: Data, split: str, key: str) -> str:
    name = hashlib.sha256(f"{data.manifest.hash} {split} {key}".encode()).hexdigest()[:16]
    return f"{split}-{name}"


def _index(folder: Path, max_broken: float) -> dict[str, Any]:
    """A column's index; whoever wrote it may have allowed more unreadable samples than we do."""
    index: dict[str, Any] = json.loads((folder / "index.json").read_text())
    Broken(max_broken, len(index["ids"]), index["broken"]).check()
    return index
