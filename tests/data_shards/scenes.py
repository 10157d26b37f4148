"""A folder in the layout of Flickr8k and its spoken captions: drawn photographs, and tones."""

from pathlib import Path

import numpy as np
import soundfile
from PIL import Image

SPLITS = {"train": range(4), "dev": range(4, 6), "test": range(6, 8)}
CAPTIONS = 5
RATE = 16_000


def flickr_folder(root: Path, *, captions: int = CAPTIONS, texts: bool = True) -> Path:
    """Four images to train on, two each for validation and test, spoken by three speakers."""
    (root / "Flicker8k_Dataset").mkdir(parents=True)
    (root / "wavs").mkdir()
    spoken = [(image, number) for image in range(8) for number in range(captions)]
    for image in range(8):
        shade = np.random.default_rng(image).integers(0, 255, (40, 50, 3), np.uint8)
        Image.fromarray(shade).save(root / "Flicker8k_Dataset" / jpg(image))
    for image, number in spoken:
        soundfile.write(root / "wavs" / wav(image, number), tone(pitch(image, number)), RATE)
    write(root, "wav2capt.txt", [f"{wav(i, n)} {jpg(i)} #{n}" for i, n in spoken])
    write(root, "wav2spk.txt", [f"{wav(i, n)} {speaker(i, n)}" for i, n in spoken])
    for split, images in SPLITS.items():
        write(root, f"Flickr_8k.{split}Images.txt", [jpg(image) for image in images])
    if texts:
        write(root, "Flickr8k.token.txt", [f"{jpg(i)}#{n}\t{text(i, n)}" for i, n in spoken])
    return root


def image_id(image: int) -> str:
    """E.g. `1000000003_00000000ab`."""
    return f"{1_000_000_000 + image}_00000000ab"


def jpg(image: int) -> str:
    """Name of a photograph."""
    return f"{image_id(image)}.jpg"


def wav(image: int, number: int) -> str:
    """Name of a recording; captions are numbered from 0."""
    return f"{image_id(image)}_{number}.wav"


def speaker(image: int, number: int) -> int:
    """Who speaks a caption."""
    return (image + number) % 3 + 1


def text(image: int, number: int) -> str:
    """What is said, in the official style."""
    return f"A dog number {image} runs {number} times ."


def pitch(image: int, number: int) -> int:
    """Of the tone that stands for a caption, in Hz."""
    return 200 + 60 * image + 10 * number


def tone(hertz: float, *, rate: int = RATE, seconds: float = 0.1) -> np.ndarray:
    """A quarter of full scale."""
    return 0.25 * np.sin(2 * np.pi * hertz * np.arange(int(rate * seconds)) / rate)


def write(root: Path, name: str, rows: list[str]) -> None:
    """Write a list in the official form."""
    (root / name).write_text("".join(f"{row}\n" for row in rows))


def change(root: Path, name: str, old: str, new: str) -> None:
    """Change a list: `old` is in it once."""
    content = (root / name).read_text()
    assert content.count(old) == 1, (name, old, content)
    (root / name).write_text(content.replace(old, new))
