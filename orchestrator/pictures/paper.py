"""What all pictures share: figures without a screen, pixels of photographs, marks, text."""

import io
import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from data_shards.raw import Raw
from data_shards.views import Pixels, View

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

DPI = 130
RIGHT, WRONG = "#1a7f37", "#b42318"
SMALL = 8  # points: the smallest text that is read on paper
THUMBNAIL = 192
ROW = 1.6
"""Height, inches, of a row of photographs."""


def sheet(
    title: str, note: str, *, rows: int, widths: Sequence[float], gap: float, top: float
) -> "tuple[Figure, np.ndarray[Any, Any]]":
    """A figure of cells: (figure, axes (rows, columns)). Lengths in inches.

    The places are counted here: matplotlib's layout engines draw everything twice.

    Args:
        widths: of each column; the first photograph's column is as wide as rows are high.
        gap: between two rows, for the titles of cells.
        top: room for the title of the sheet and of the first row.
    """
    from matplotlib.figure import Figure

    margin, between = 0.1, 0.1
    width = 2 * margin + sum(widths) + between * (len(widths) - 1)
    note = wrapped(note, round(14 * width))
    bottom = 0.4 + 0.14 * len(note.splitlines())
    height = bottom + rows * ROW + (rows - 1) * gap + top
    figure = Figure(figsize=(width, height))
    cells = figure.subplots(
        rows, len(widths), squeeze=False,
        gridspec_kw={
            "left": margin / width, "right": 1 - margin / width, "bottom": bottom / height,
            "top": 1 - top / height, "width_ratios": widths, "hspace": gap / ROW,
            "wspace": between * len(widths) / sum(widths),
        },
    )  # fmt: skip
    figure.suptitle(wrapped(title, round(11 * width)), fontsize=11, y=1 - 0.1 / height, va="top")
    figure.supxlabel(note, fontsize=SMALL, y=0.1 / height)
    return figure, cells


def png(drawn: "Figure") -> bytes:
    """The figure as a PNG."""
    buffer = io.BytesIO()
    drawn.savefig(buffer, format="png", dpi=DPI, pil_kwargs={"compress_level": 3})
    return buffer.getvalue()


def photograph(raw: Raw, size: int = THUMBNAIL) -> "np.ndarray[Any, np.dtype[np.uint8]]":
    """The centred square of a photograph, as the model is shown it: (size, size, 3)."""
    pixels: Pixels = View(size).nth(raw.jpeg, 0, image_id=raw.image_id)
    return pixels.transpose(1, 2, 0)


def show(axes: "Axes", pixels: "np.ndarray[Any, Any]") -> None:
    """A photograph without axes."""
    axes.imshow(pixels)
    axes.set_axis_off()


def write(axes: "Axes", text: str, *, width: int) -> None:
    """A text alone, wrapped at `width` characters, from the left and in the middle of its place."""
    axes.set_axis_off()
    axes.text(0, 0.5, wrapped(text, width), va="center", transform=axes.transAxes, fontsize=SMALL)


def wrapped(text: str, width: int) -> str:
    """The text in lines of at most `width` characters; lines of its own stay."""
    return "\n".join(textwrap.fill(line, width) for line in text.splitlines())


def mark(right: bool) -> tuple[str, str]:
    """A tick or a cross, and its colour."""
    return ("✓", RIGHT) if right else ("✗", WRONG)
