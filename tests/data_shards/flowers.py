"""A folder in the official Oxford-102 layout, with drawn photographs."""

from pathlib import Path

import numpy as np
import scipy.io
from PIL import Image

COLOURS = ("red", "blue", "pink", "white", "yellow")


def oxford_folder(root: Path, *, classes: int, images: int, captions: int = 2) -> Path:
    """`images` photographs of each of `classes` classes; image numbers go through all classes."""
    (root / "jpg").mkdir(parents=True)
    labels = [1 + index % classes for index in range(classes * images)]
    scipy.io.savemat(root / "imagelabels.mat", {"labels": np.array([labels], np.uint8)})
    for number, label in enumerate(labels, 1):
        pixels = np.random.default_rng(number).integers(0, 255, (48, 64, 3), np.uint8)
        Image.fromarray(pixels).save(root / "jpg" / f"image_{number:05d}.jpg")
        write_captions(
            root,
            number,
            label=label,
            lines=[f"{COLOURS[(number + line) % 5]} number {line}" for line in range(captions)],
        )
    return root


def caption_file(root: Path, number: int, *, label: int) -> Path:
    """Where the captions of an image are."""
    return root / "text_c10" / f"class_{label:05d}" / f"image_{number:05d}.txt"


def write_captions(root: Path, number: int, *, label: int, lines: list[str]) -> None:
    """Write the captions of an image."""
    path = caption_file(root, number, label=label)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n")


def write_list(root: Path, name: str, *, classes: list[int]) -> None:
    """Write a class list in the official form."""
    (root / name).write_text("".join(f"class_{label:05d}\n" for label in classes))
