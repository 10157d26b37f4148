"""Pictures of a query: when the model listens, where it looks."""

import io
from typing import TYPE_CHECKING

import numpy as np
import torch
from jaxtyping import Float, UInt8
from PIL import Image
from torch import Tensor
from torch.nn.functional import interpolate

from data_shards.logmel import RATE, LogMel
from data_shards.sound import wave
from orchestrator.pictures import paper
from orchestrator.query.trained import Trained
from trainables.explaining import image_heat, speech_weights

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_STRONGEST = 0.75  # of the heat over the photograph


def listening(trained: Trained, flac: bytes, frames_TF: Float[Tensor, "T F"]) -> bytes:
    """PNG: log-mel of a query over time and, where the encoder has it, attention below it."""
    from matplotlib.figure import Figure  # without pyplot: no display, no global state

    weight_T = speech_weights(trained.model, frames_TF)
    wave_N = wave(flac)
    seconds, rows = len(wave_N) / RATE, 1 if weight_T is None else 2
    figure = Figure(figsize=(6.5, 1.5 * rows), layout="constrained")
    panels = figure.subplots(rows, 1, sharex=True, squeeze=False)[:, 0]
    panels[0].imshow(
        LogMel()(wave_N).T.numpy(), origin="lower", aspect="auto", cmap="magma", vmin=-2.5,
        vmax=2.5, extent=(0, seconds, 0, LogMel().mels),
    )  # fmt: skip
    panels[0].set_ylabel("log-mel band")
    if weight_T is not None:
        _weights(panels[1], weight_T, seconds)
    panels[-1].set_xlabel("seconds")
    return paper.png(figure)


def _weights(axes: "Axes", weight_T: Tensor, seconds: float) -> None:
    """Steps of one length each."""
    edges = np.linspace(0, seconds, len(weight_T) + 1)
    axes.stairs(weight_T.numpy(), edges, fill=True, color="C0", alpha=0.75)
    axes.axhline(1 / len(weight_T), ls=":", color="black", lw=0.8)
    axes.set(xlim=(0, seconds), ylim=(0, None), ylabel="attention")


def looking(
    trained: Trained, pixels_3SS: UInt8[Tensor, "3 S S"], speech_E: Float[Tensor, " E"]
) -> bytes:
    """PNG: the photograph under the Grad-CAM of its cosine with a caption (thesis Figure 5.5)."""
    from matplotlib import colormaps

    heat_1HW, _ = image_heat(trained.model, pixels_3SS[None], speech_E[None])
    side = pixels_3SS.shape[-1]
    heat_SS = interpolate(heat_1HW[None], (side, side), mode="bilinear")[0, 0]
    share = (heat_SS / heat_SS.max().clamp(min=1e-12)).numpy()
    opaque = _STRONGEST * share[..., None]
    mixed = (1 - opaque) * _pixels(pixels_3SS) + opaque * 255 * colormaps["turbo"](share)[..., :3]
    buffer = io.BytesIO()
    Image.fromarray(mixed.astype(np.uint8)).save(buffer, "PNG")
    return buffer.getvalue()


def _pixels(pixels_3SS: Tensor) -> "np.ndarray[tuple[int, ...], np.dtype[np.uint8]]":
    shown: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]
    shown = pixels_3SS.to(torch.uint8).permute(1, 2, 0).numpy()
    return shown
