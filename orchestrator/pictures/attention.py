"""When in a spoken caption a trial listens: its attention over time, beside the words.

The thesis leaves this picture to future work.
"""

from typing import TYPE_CHECKING

import torch

from data_shards.logmel import RATE, LogMel
from data_shards.sound import wave
from orchestrator.pictures import paper, words
from orchestrator.pictures.subject import NotDrawn, Shown, Subject
from trainables.explaining import speech_weights

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, SubFigure

CAPTIONS = 3
FRAME = 0.01  # seconds
EVEN = 0.05  # of the even weight: less than this is no attention
LETTER = 0.011  # of the picture's width: a letter of the smallest text


def draw(subject: Subject) -> "Figure":
    """Captions one below another: log-mel, words, weights over time.

    Raises:
        NotDrawn: the speech encoder has no attention over time.
    """
    from matplotlib.figure import Figure  # without pyplot: no display, no global state

    shown = subject.shown[:CAPTIONS]
    weights = [speech_weights(subject.model, subject.heard(each)) for each in shown]
    figure = Figure(figsize=(9.0, 2.7 * len(shown) + 0.8), layout="constrained")
    panels = figure.subfigures(len(shown), 1, squeeze=False)[:, 0]
    for panel, each, weight_T in zip(panels, shown, weights, strict=True):
        if weight_T is None:
            encoder = subject.experiment.speech_encoder
            raise NotDrawn(f"its speech encoder, {encoder}, has no attention over time")
        _caption(panel, each, weight_T)
        panel.suptitle(subject.class_names[each.raw.class_id], fontsize=9, x=0.01, ha="left")
    figure.suptitle(f"When the model listens: attention over time, {subject.where}", fontsize=11)
    figure.supxlabel(
        "Weight: the share of a step of time in the embedding, the mean over its features; dotted: "
        "all steps alike.\nApproximate word positions: by number of letters, from the first sound "
        "to the last.",
        fontsize=paper.SMALL,
    )
    return figure


def _caption(panel: "SubFigure", shown: Shown, weight_T: torch.Tensor) -> None:
    wave_N = wave(shown.flac)
    seconds = len(wave_N) / RATE
    top, bottom = panel.subplots(2, 1, sharex=True, height_ratios=[1.2, 1])
    _log_mel(top, LogMel()(wave_N), seconds)
    _weights(bottom, weight_T, seconds)
    placed = words.positions(shown.text, *words.spoken(wave_N.numpy(), RATE))
    _words(top, bottom, placed, seconds)


def _log_mel(axes: "Axes", frames_TF: torch.Tensor, seconds: float) -> None:
    axes.imshow(
        frames_TF.T.numpy(), origin="lower", aspect="auto", cmap="magma", vmin=-2.5, vmax=2.5,
        extent=(0, seconds, 0, frames_TF.shape[1]),
    )  # fmt: skip
    axes.set_ylabel("log-mel band", fontsize=paper.SMALL)
    axes.tick_params(labelsize=paper.SMALL, labelbottom=False, length=2)


def _weights(axes: "Axes", weight_T: torch.Tensor, seconds: float) -> None:
    """Steps as long as the encoder makes them: whole numbers of log-mel frames."""
    step = max(1, round(seconds / len(weight_T) / FRAME)) * FRAME
    edges = [number * step for number in range(len(weight_T) + 1)]
    axes.stairs(weight_T.numpy(), edges, fill=True, color="C0", alpha=0.75)
    axes.axhline(1 / len(weight_T), ls=":", color="black", lw=0.8)
    axes.set(xlim=(0, seconds), ylim=(0, None))
    if (weight_T * len(weight_T) - 1).abs().max() < EVEN:
        axes.text(0.5, 0.5, "all steps nearly alike: it attends to nothing in particular",
                  transform=axes.transAxes, ha="center", fontsize=paper.SMALL)  # fmt: skip
    axes.set_xlabel("seconds", fontsize=paper.SMALL)
    axes.set_ylabel("weight", fontsize=paper.SMALL)
    axes.tick_params(labelsize=paper.SMALL, length=2)


def _words(
    top: "Axes", bottom: "Axes", placed: list[tuple[str, float, float]], seconds: float
) -> None:
    """Between both panels: the words in their places, and where each begins."""
    crowded = max(
        (len(word) * LETTER * seconds / (end - start) for word, start, end in placed), default=0.0
    )
    size = (paper.SMALL + 1) / max(1.0, crowded)
    for word, start, end in placed:
        bottom.text(
            (start + end) / 2, 1.04, word, transform=bottom.get_xaxis_transform(), ha="center",
            va="bottom", fontsize=size,
        )  # fmt: skip
    for time in {time for _, *both in placed for time in both}:
        top.axvline(time, color="white", lw=0.6)
        bottom.axvline(time, color="grey", lw=0.6)
