"""How near training comes to what the device can do at all: a square matrix product's FLOP/s.

Preset demo: the speech encoder and the image encoder, forward and backward, and a whole step with
loss and Adam, in float32 and under bfloat16 autocast, on a GPU where there is one. Counted are the
operations of matrix products and convolutions, as far as valid frames need them.
"""

from collections.abc import Callable, Iterator

import torch
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.figures import Figure, side_by_side
from trainables.experiment import Experiment
from trainables.model import DualEncoder, autocast
from trainables.presets import PRESETS

DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")
SIDE, LAYERS = 1024, 3
NAMES = ("speech encoder", "image encoder", "whole training step")
Run = Callable[[], object]


def shares(length_B: Tensor) -> Iterator[Figure]:
    """A figure for each of the three, in both precisions."""
    for precision in ("float32", "bfloat16"):
        experiment = PRESETS["demo"].replace(precision=precision)
        speech, image, step = _runs(experiment, length_B)
        square = torch.randn(SIDE, SIDE, device=DEVICE, dtype=getattr(torch, precision))
        runs = [_finished(run) for run in (lambda of=square: of @ of, speech, image, step)]
        product_s, *taken = side_by_side(*runs)
        best = 2 * SIDE**3 / product_s
        work = [_speech_flops(experiment, length_B), _counted(image)]
        for name, flops, seconds in zip(NAMES, [*work, sum(work)], taken, strict=True):
            yield _figure(f"{name}, {precision} on {DEVICE.type}", flops / seconds, best, seconds)


def _figure(name: str, found: float, best: float, seconds: float) -> Figure:
    return Figure(
        what=f"FLOP/s of the {name}, of those of a product of {SIDE} × {SIDE} matrices",
        value=100 * found / best,
        unit="%",
        note=f"{found / 1e9:.3g} of {best / 1e9:.3g} GFLOP/s; {1e3 * seconds:.0f} ms",
    )


def _runs(experiment: Experiment, length_B: Tensor) -> tuple[Run, Run, Run]:
    """Forward and backward of each encoder; a step of training."""
    model = DualEncoder(experiment).to(DEVICE)
    optimiser = torch.optim.Adam(model.parameters())
    batch, size = len(length_B), experiment.image_size
    pixels = torch.randint(256, (batch, 3, size, size), dtype=torch.uint8).to(DEVICE)
    frames_BTF = torch.randn(batch, int(length_B.max()), experiment.mels, device=DEVICE)
    class_B = torch.arange(batch, device=DEVICE) // 4

    def embed(*encoders: Callable[[], Tensor]) -> list[Tensor]:
        optimiser.zero_grad(set_to_none=True)
        with autocast(experiment, DEVICE):
            return [encoder().float() for encoder in encoders]

    def image() -> Tensor:
        return model.embed_images(pixels)  # type: ignore[no-any-return]

    def speech() -> Tensor:
        return model.embed_speech(frames_BTF, length_B)  # type: ignore[no-any-return]

    def step() -> None:
        image_BE, speech_BE = embed(image, speech)
        generator = torch.Generator().manual_seed(0)
        loss = experiment.loss(image_BE, speech_BE, class_B, generator=generator)
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()

    def alone(encoder: Callable[[], Tensor]) -> Run:
        return lambda: torch.autograd.backward(embed(encoder)[0][:, 0].sum())

    return alone(speech), alone(image), step


def _finished(run: Run) -> Run:
    """Also on a GPU a call ends when its work is done."""

    def all_of_it() -> None:
        run()
        if DEVICE.type == "cuda":
            torch.cuda.synchronize()

    return all_of_it


def _counted(run: Run) -> int:
    with FlopCounterMode(display=False) as counter:
        run()
    return int(counter.get_total_flops())


def _speech_flops(experiment: Experiment, length_B: Tensor) -> int:
    """Forward, and twice as many backward, but the log-mel frames need no gradient."""
    units, total, frames = experiment.embedding // 2, 0, 0
    for layer in range(1, LAYERS + 1):
        frames = int((-(-length_B // 2**layer)).sum())
        inputs = 3 * 4 * units if layer > 1 else 2 * 2 * experiment.mels
        total += 2 * 2 * frames * 3 * units * (inputs + 3 * units)
    return total + 3 * 2 * 2 * frames * 2 * units * experiment.speech_attention_hidden
