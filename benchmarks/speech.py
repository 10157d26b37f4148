"""The speech encoder, forward and backward, on 64 random captions.

Their lengths are those of real captions spoken by espeak where VFSEL_OXFORD102 names the Oxford-102
files, else of the built-in data. One thread; 64 units a direction (preset demo) and 128. Ours is
all of it: sorting, packing, three layers, attention, normalisation. It is compared with

- bare: for each layer and direction one call of a one-directional `nn.GRU` on equally long
  sequences, as many and with as many frames together as are valid; no packing, no attention;
- fixed: the three layers as bidirectional `nn.GRU`s on all captions padded to 640 frames.

Last, how much of a matrix product's speed is reached (`ceiling`).
"""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from unittest.mock import patch

import numpy as np
import torch
from torch import Tensor, nn

from benchmarks import ceiling
from benchmarks.figures import Figure, side_by_side
from data_shards.feature_store import Store
from data_shards.features import derive_speech
from data_shards.logmel import LogMel
from data_shards.manifest import load
from trainables.packed_gru import packed_gru
from trainables.presets import PRESETS
from trainables.speech_encoders import pyramid_bigru
from trainables.speech_encoders.pyramid_bigru import PyramidBiGRU

FOLDER = Path(os.environ.get("VFSEL_BENCH", Path.home() / ".cache" / "vfsel-bench")) / "speech"
BATCH, FIXED, LAYERS = 64, 640, 3
DEMO = PRESETS["demo"]
Run = Callable[[], object]


def measure() -> Iterator[Figure]:
    """Ratios for both sizes, padding, and the share of the ceiling."""
    torch.set_num_threads(1)
    length_B = _lengths()
    for units in (64, 128):
        yield from _ratios(length_B, units)
    yield _padding(length_B)
    yield from ceiling.shares(length_B)


def _lengths() -> Tensor:
    """Of 64 random captions."""
    root = os.environ.get("VFSEL_OXFORD102")
    name = "flowers" if root else "builtin"
    if not (FOLDER / name / "manifest.json").exists():
        _pack(name, root)
    logmel, store = LogMel(mels=DEMO.mels, window=DEMO.window), Store(FOLDER / "cache")
    data = load(FOLDER / name)
    speech = derive_speech(data, "train", front=logmel, store=store, max_broken=0.0)
    lengths = np.diff(speech.starts)
    return torch.from_numpy(np.random.default_rng(1).choice(lengths, BATCH, replace=False))


def _pack(name: str, root: str | None) -> None:
    command = [sys.executable, "-m", "orchestrator", "data"]
    few = ["--classes", "17-28", "--images-per-class", "8", "--captions", "4"]
    made = ["pack", "oxford102", "--root", root, *few] if root else ["synth"]
    subprocess.run([*command, *made, "--out", str(FOLDER / name)], check=True, stdout=sys.stderr)


def _ratios(length_B: Tensor, units: int) -> Iterator[Figure]:
    encoder = PyramidBiGRU(DEMO.replace(embedding=2 * units))
    ours = _speech(encoder, length_B)
    mean = round(length_B.float().mean().item())
    ours_s, bare_s, fixed_s = side_by_side(ours, _bare(units, mean), _fixed(units), rounds=9)
    note = f"H={units}: {1e3 * ours_s:.0f} ms, {BATCH / ours_s:.0f} captions/s; "
    yield Figure(
        what="Speech encoder against bare one-directional nn.GRU calls on as many valid frames",
        value=bare_s / ours_s,
        at_least=0.9,
        note=f"{note}bare {1e3 * bare_s:.0f} ms at {mean} frames each",
    )
    yield Figure(
        what=f"Speech encoder against bidirectional nn.GRUs on {FIXED} frames",
        value=fixed_s / ours_s,
        at_least=1.5,
        note=f"{note}fixed {1e3 * fixed_s:.0f} ms",
    )


def _speech(encoder: nn.Module, length_B: Tensor) -> Run:
    frames_BTF = torch.randn(BATCH, int(length_B.max()), DEMO.mels)

    def run() -> None:
        encoder.zero_grad()
        encoder(frames_BTF, length_B)[:, 0].sum().backward()

    return run


def _layers(units: int, frames: int) -> Iterator[tuple[int, Tensor]]:
    """Features and input of each layer; below the first one nothing wants a gradient."""
    for layer in range(LAYERS):
        features = 4 * units if layer else 2 * DEMO.mels
        shape = BATCH, round(frames / 2 ** (layer + 1)), features
        yield features, torch.randn(shape, requires_grad=layer > 0)


def _bare(units: int, frames: int) -> Run:
    layers = [
        (nn.GRU(features, units, batch_first=True), input_BTD)
        for features, input_BTD in _layers(units, frames)
        for _ in ("ahead", "back")
    ]
    return lambda: [gru(input_BTD)[0].sum().backward() for gru, input_BTD in layers]


def _fixed(units: int) -> Run:
    layers = [
        (nn.GRU(features, units, batch_first=True, bidirectional=True), input_BTD)
        for features, input_BTD in _layers(units, FIXED)
    ]
    return lambda: [gru(input_BTD)[0].sum().backward() for gru, input_BTD in layers]


def _padding(length_B: Tensor) -> Figure:
    """Counts the frames that enter each GRU and, as the attention computes all, those in it."""
    encoder, counted = PyramidBiGRU(DEMO), []

    def counting(gru: nn.GRU, input_ND: Tensor, **options: object) -> Tensor:
        counted.append(len(input_ND))
        return packed_gru(gru, input_ND, **options)  # type: ignore[arg-type]

    with patch.object(pyramid_bigru, "packed_gru", counting):
        encoder(torch.randn(BATCH, int(length_B.max()), DEMO.mels), length_B)
    valid = sum(2 * int((-(-length_B // 2**layer)).sum()) for layer in range(1, LAYERS + 1))
    batch = 100 * (1 - length_B.float().mean().item() / int(length_B.max()))
    return Figure(
        what="Frames computed by the GRUs that are padding",
        value=100 * (1 - valid / sum(counted)),
        unit="%",
        at_most=10,
        note=f"of the batch as it comes {batch:.0f} % is; the attention, 2 % of the time, "
        "computes it on T/8 frames",
    )
