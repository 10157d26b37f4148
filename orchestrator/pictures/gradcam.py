"""Where in a photograph a trial finds its caption: Grad-CAM (thesis §5.4.4, Figure 5.5)."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch.nn.functional import interpolate

from data_shards.batches import pad
from orchestrator.pictures import paper
from orchestrator.pictures.subject import Shown, Subject
from search_spaces.designs import format_value
from trainables.explaining import image_heat

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SAID = {
    "pair": "the cosine of the photograph with its spoken caption",
    "argmax": "the largest dimension of the photograph's embedding",
}


def draw(subjects: Sequence[Subject], *, target: str) -> "Figure":
    """A row a photograph: itself, what each trial looks at, the caption. All trials have the same
    data."""
    shown = subjects[0].shown
    names = labels(subjects)
    lines = max(len(name.splitlines()) for name in names)
    figure, cells = paper.sheet(
        f"Where {SAID[target]} comes from (Grad-CAM)", _note(subjects), rows=len(shown),
        widths=[paper.ROW] * (1 + len(subjects)) + [1.9], gap=0.25, top=0.8 + 0.15 * lines,
    )  # fmt: skip
    for row, each in zip(cells, shown, strict=True):
        paper.show(row[0], paper.photograph(each.raw, subjects[0].experiment.image_size))
        paper.write(row[-1], _said(subjects[0], each), width=27)
    cells[0, 0].set_title("photograph", fontsize=paper.SMALL)
    for number, (subject, name) in enumerate(zip(subjects, names, strict=True), start=1):
        _trial(list(cells[:, number]), subject, shown, target)
        cells[0, number].set_title(f"{name}\n{cells[0, number].get_title()}", fontsize=paper.SMALL)
    return figure


def labels(subjects: Sequence[Subject]) -> list[str]:
    """What names each trial: the fields in which they differ; a lone one, its attention."""
    fields = [subject.experiment.flat() for subject in subjects]
    names = [
        name
        for name in dict.fromkeys(name for own in fields for name in own)
        if len({str(own.get(name)) for own in fields}) > 1
    ] or ["image_attention"]
    texts = [
        "\n".join(f"{name}={format_value(own[name])}" for name in names if name in own)
        for own in fields
    ]
    return [paper.wrapped(text, 26) for text in texts]


def _trial(column: "Sequence[Axes]", subject: Subject, shown: Sequence[Shown], target: str) -> None:
    size = subject.experiment.image_size
    photographs = [paper.photograph(each.raw, size) for each in shown]
    pixels_B3SS = torch.from_numpy(np.stack(photographs).transpose(0, 3, 1, 2).copy())
    frames_BTF, length_B = pad([subject.heard(each) for each in shown])
    with torch.no_grad():
        speech_BE = subject.model.embed_speech(frames_BTF, length_B)
    heat_BHW, cosine_B = image_heat(subject.model, pixels_B3SS, speech_BE, target=target)
    for axes, pixels, heat_HW, cosine in zip(column, photographs, heat_BHW, cosine_B, strict=True):
        _overlay(axes, pixels, heat_HW)
        nothing = "" if heat_HW.any() else " (no heat)"
        value = round(float(cosine), 2) + 0.0  # never -0.00
        axes.set_title(f"cosine {value:.2f}{nothing}", fontsize=paper.SMALL)


def _overlay(axes: "Axes", pixels: "np.ndarray[Any, Any]", heat_HW: torch.Tensor) -> None:
    """The map over the photograph, scaled to its own maximum; clear where it is 0."""
    paper.show(axes, pixels)
    side = len(pixels)
    heat_SS = interpolate(heat_HW[None, None], (side, side), mode="bilinear")[0, 0].numpy()
    heat_SS = heat_SS / max(float(heat_SS.max()), 1e-12)
    axes.imshow(heat_SS, cmap="turbo", vmin=0, vmax=1, alpha=0.75 * heat_SS)


def _said(subject: Subject, shown: Shown) -> str:
    return f"{subject.class_names[shown.raw.class_id]}:\n“{shown.text}”"


def _note(subjects: Sequence[Subject]) -> str:
    ids = ", ".join(subject.id for subject in subjects)
    return (
        "Red: much, clear: nothing (no heat: nowhere positive); each map is scaled to its own "
        "maximum. Layer: the map at the end of stride 32, before pooling (behind the attention, if "
        f"that stands at B4). Test images of {subjects[0].record['dataset']}; {ids}."
    )
