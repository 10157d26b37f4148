"""A folder in the official CUB-200-2011 layout, with drawn photographs."""

from pathlib import Path

import numpy as np
from PIL import Image

TEST = ("001.Black_footed_Albatross", "004.Groove_billed_Ani")
TRAIN = ("002.Laysan_Albatross", "003.Sooty_Albatross")
CLASSES = sorted(TRAIN + TEST)
SIZE = (64, 48)
BOX = (10.0, 8.0, 20.0, 12.0)


def cub_folder(root: Path, *, images: int = 2, captions: int = 2) -> Path:
    """Four classes of `images` photographs: two of the thesis' training classes, two for the test.

    Captions are in `<root>/text_c10`.
    """
    names = [name for folder in CLASSES for name in photographs(folder, images)]
    for name in names:
        (root / "images" / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels()).save(root / "images" / name, quality=98)
        write_captions(root, name, lines=[f"a {word} bird" for word in WORDS[:captions]])
    write_list(root, "classes.txt", CLASSES)
    write_list(root, "images.txt", names)
    write_list(root, "image_class_labels.txt", [str(class_id(name)) for name in names])
    write_list(root, "bounding_boxes.txt", [" ".join(map(str, BOX))] * len(names))
    return root


WORDS = ("red", "blue", "small", "long billed")


def photographs(folder: str, images: int) -> list[str]:
    """Official names, e.g. `001.Black_footed_Albatross/Black_footed_Albatross_0001.jpg`."""
    return [f"{folder}/{folder[4:]}_{number:04d}.jpg" for number in range(1, images + 1)]


def class_id(name: str) -> int:
    """The id of an image's class: its place in the list of classes, from 1."""
    return CLASSES.index(name.split("/")[0]) + 1


def pixels() -> np.ndarray:
    """A picture whose red tells x (3 a pixel) and whose green tells y (5 a pixel)."""
    y, x = np.mgrid[: SIZE[1], : SIZE[0]]
    return np.stack([3 * x, 5 * y, 0 * x], axis=-1).astype(np.uint8)


def write_list(root: Path, name: str, rows: list[str]) -> None:
    """Write a list in the official form: no header, ids from 1."""
    (root / name).write_text("".join(f"{i} {row}\n" for i, row in enumerate(rows, start=1)))


def change(root: Path, name: str, old: str, new: str) -> None:
    """Change a list: `old` is in it once."""
    content = (root / name).read_text()
    assert content.count(old) == 1, (name, old, content)
    (root / name).write_text(content.replace(old, new))


def caption_file(root: Path, name: str) -> Path:
    """Where the captions of an image are."""
    return root / "text_c10" / name.replace(".jpg", ".txt")


def write_captions(root: Path, name: str, *, lines: list[str]) -> None:
    """Write the captions of an image."""
    path = caption_file(root, name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n")
