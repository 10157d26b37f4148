"""All pictures of a trial, written where they are wanted."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from data_shards import files
from orchestrator.pictures import attention, galleries, gradcam, learning, paper
from orchestrator.pictures.subject import NotDrawn, Subject

if TYPE_CHECKING:
    from matplotlib.figure import Figure

TARGET = "pair"


def draw(subject: Subject, folder: str, *, target: str = TARGET) -> tuple[list[str], list[str]]:
    """Write `gradcam.png`, `speech_attention.png`, `gallery_s2i.png`, `gallery_i2s.png` and
    `learning.png`.

    Args:
        folder: a folder or URI.
        target: what the Grad-CAM explains, one of `explaining.TARGETS`.

    Returns:
        Where the pictures are, and a line for each that cannot be drawn of this trial.
    """
    kinds: dict[str, Callable[[], Figure]] = {
        "learning": partial(learning.draw, subject),
        "gallery_s2i": partial(galleries.speech_to_image, subject),
        "gallery_i2s": partial(galleries.image_to_speech, subject),
        "speech_attention": partial(attention.draw, subject),
        "gradcam": partial(gradcam.draw, [subject], target=target),
    }
    written, lacking = [], []
    for name, make in kinds.items():
        try:
            written.append(_write(make(), folder, f"{name}.png"))
        except NotDrawn as reason:
            lacking.append(f"no {name}.png of {subject.id}: {reason}.")
    return written, lacking


def read(urls: Sequence[str]) -> dict[str, bytes]:
    """Pictures by file name."""
    return {url.rsplit("/", 1)[-1]: files.read_bytes(url) or b"" for url in urls}


def compare(
    subjects: Sequence[Subject], folder: str, *, target: str = TARGET, name: str = ""
) -> str:
    """Write the Grad-CAMs of several trials side by side (Figure 5.5); returns where.

    Args:
        name: of the file; by default made of the trials' ids.
    """
    name = name or "-".join(["gradcam", *(subject.id for subject in subjects)]) + ".png"
    return _write(gradcam.draw(subjects, target=target), folder, name)


def _write(drawn: "Figure", folder: str, name: str) -> str:
    url = files.join(folder, name)
    files.write_atomic(url, paper.png(drawn))
    return url
