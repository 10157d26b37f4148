"""A folder of one's own photographs, as `data pack own` reads it."""

from pathlib import Path

import numpy as np
import soundfile
from PIL import Image

COLOURS = {"red": (200, 30, 30), "green": (30, 160, 30), "blue": (30, 30, 200)}


def own_folder(root: Path, *, classes: int, images: int) -> Path:
    """Classes `kind 00`, …: noise over a colour, with two captions an image."""
    for number in range(classes):
        name, (word, colour) = f"kind {number:02}", list(COLOURS.items())[number % 3]
        for image in range(images):
            path = root / "images" / name / f"photo {image}.jpg"
            path.parent.mkdir(parents=True, exist_ok=True)
            noise = np.random.default_rng([number, image]).integers(0, 50, (48, 64, 3))
            Image.fromarray((noise + colour).astype(np.uint8)).save(path)
            write_captions(root, name, path.stem, [f"a {word} thing", f"number {number} is {word}"])
    return root


def write_captions(root: Path, class_name: str, stem: str, lines: list[str]) -> Path:
    """Write the captions of an image."""
    path = root / "captions" / class_name / f"{stem}.txt"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n")
    return path


def record(root: Path, class_name: str, name: str) -> Path:
    """Write a recording of half a second: a tone."""
    path = root / "recordings" / class_name / name
    path.parent.mkdir(parents=True, exist_ok=True)
    time = np.arange(11_025) / 22_050
    soundfile.write(path, 0.3 * np.sin(2 * np.pi * 440 * time), 22_050)
    return path
