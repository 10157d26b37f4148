"""Where the time of a trial goes, as a picture: `python -m benchmarks.profile docs/profile.png`.

A trial of the preset `demo` (all trained, pixels cached), and with EfficientNet-Lite0 frozen and
attention behind B3 (cached maps), two epochs each on one thread, in this process, cache warm.
"""

import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

from benchmarks.real_data import flowers_or_drawings
from data_shards.manifest import Data
from trainables import evaluation, training
from trainables.allocator import keep_freed_memory
from trainables.checkpoints import Checkpoints
from trainables.experiment import Experiment
from trainables.image_encoder import ImageEncoder
from trainables.losses.matching import Matching
from trainables.presets import PRESETS
from trainables.speech_encoders.pyramid_bigru import PyramidBiGRU

PARTS = {
    "image encoder, forward": (ImageEncoder, "forward"),
    "speech encoder, forward": (PyramidBiGRU, "forward"),
    "loss": (Matching, "__call__"),
    "backward": (torch.Tensor, "backward"),
    "optimiser": (torch.optim.Adam, "step"),
    "retrieval metrics": (evaluation, "retrieval"),
    "checkpoints": (Checkpoints, "save"),
}
REST = "batches and all else"


def main() -> None:
    """Measure both and draw them."""
    keep_freed_memory()
    torch.set_num_threads(1)
    data = flowers_or_drawings()
    demo = PRESETS["demo"].replace(epochs=2, data=data.manifest.hash)
    lite0 = demo.replace(image_encoder="efficientnet_lite0")
    shares = {
        "preset demo": _measure(demo, data),
        "Lite0 frozen, B3": _measure(lite0, data),
        "Lite0 frozen, none": _measure(lite0.replace(image_attention="none"), data),
    }
    for name, parts in shares.items():
        print(name, {part: round(seconds, 2) for part, seconds in parts.items()})
    _draw(shares, Path(sys.argv[1]))


def _measure(experiment: Experiment, data: Data) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as folder:
        options: dict[str, Any] = {"data": data, "cache": Path(folder) / "cache"}
        _run(experiment, **options, checkpoints=f"{folder}/warm")
        spent = dict.fromkeys([*PARTS, REST], 0.0)
        with _timed(spent):
            start = time.perf_counter()
            _run(experiment, **options, checkpoints=f"{folder}/timed")
            whole = time.perf_counter() - start
    return spent | {REST: whole - sum(spent.values())}


def _run(experiment: Experiment, **options: Any) -> None:
    for _ in training.train(experiment, **options):
        pass


@contextmanager
def _timed(spent: dict[str, float]) -> Iterator[None]:
    """Adds up what each part takes; no part calls another."""
    kept = {part: getattr(*place) for part, place in PARTS.items()}
    for part, (owner, name) in PARTS.items():
        setattr(owner, name, _adding(kept[part], spent, part))
    try:
        yield
    finally:
        for part, (owner, name) in PARTS.items():
            setattr(owner, name, kept[part])


def _adding(whole: Any, spent: dict[str, float], part: str) -> Any:
    def call(*arguments: Any, **options: Any) -> Any:
        start = time.perf_counter()
        try:
            return whole(*arguments, **options)
        finally:
            spent[part] += time.perf_counter() - start

    return call


def _draw(shares: dict[str, dict[str, float]], path: Path) -> None:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 3.2), layout="constrained")
    axes = figure.add_subplot()
    left = dict.fromkeys(shares, 0.0)
    for part in [*PARTS, REST]:
        values = [100 * parts[part] / sum(parts.values()) for parts in shares.values()]
        axes.barh(list(shares), values, left=list(left.values()), label=part)
        left = {name: left[name] + value for name, value in zip(left, values, strict=True)}
    axes.set(xlabel="share of a trial's time, %", xlim=(0, 100))
    axes.invert_yaxis()
    figure.legend(loc="outside lower center", ncols=4, fontsize=8)
    figure.savefig(path, dpi=120)


if __name__ == "__main__":
    main()
