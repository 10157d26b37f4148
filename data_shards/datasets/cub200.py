"""CUB-200-2011 birds (Wah et al. 2011), captions of Reed et al. 2016.

Official layout: `images/<class>/<name>.jpg` and the lists `images.txt`, `image_class_labels.txt`,
`classes.txt` and `bounding_boxes.txt`, without headers, ids from 1. Captions:
`text_c10/<class>/<name>.txt` (one a line). Class lists beside `text_c10` where present
(`trainvalclasses.txt` and `testclasses.txt`, one `001.Black_footed_Albatross` a line), else the
thesis' split (150 classes for training, 50 for the test, Table 3.1).
"""

from collections import Counter
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any, final

from PIL import Image

from data_shards.datasets import cutting, lists, text_c10
from data_shards.datasets.base import FORMATS, Source, SourceImage
from data_shards.errors import DataError, UsageError

_LISTS = ("images.txt", "image_class_labels.txt", "classes.txt", "bounding_boxes.txt")
_ID = r"([1-9]\d*)"
_NUMBER = r"(-?\d+(?:\.\d+)?)"
_HALF_SIDE = 0.75  # of the crop, in longer sides of the box
_SMALLEST = 8  # pixels of a box's longer side: its square is to be a photograph
_ROUNDING = 1.0  # pixels by which a box may exceed its image

Box = tuple[float, float, float, float]
"""Left, top, width and height in pixels of the photograph."""


@final
@dataclass(frozen=True, kw_only=True)
class Bird(SourceImage):
    """A JPEG file, of which the square around the bird is kept."""

    path: Path
    box: Box

    def open(self) -> Image.Image:
        image = Image.open(self.path, formats=FORMATS)
        self._check(image.size)
        return image.crop(square(self.box, size=image.size))

    def notes(self) -> dict[str, Any]:
        return {"box": list(self.box)}

    def _check(self, size: tuple[int, int]) -> None:
        x, y, width, height = self.box
        inside = (
            min(x, y) >= -_ROUNDING
            and x + width <= size[0] + _ROUNDING
            and y + height <= size[1] + _ROUNDING
        )
        if not inside:
            raise DataError(
                f"a bounding box must lie inside its image, but {self.image_id} is "
                f"{size[0]}×{size[1]} and its box is x={x} y={y} w={width} h={height}."
            )


def square(box: Box, *, size: tuple[int, int]) -> tuple[int, int, int, int]:
    """Left, top, right and bottom of the crop, clipped to an image of this width and height.

    A square of half-side 0.75 × the box's longer side around its centre, in whole pixels, as
    the thesis' author cropped.
    """
    x, y, width, height = box
    half = int(_HALF_SIDE * max(width, height))
    centre_x, centre_y = int(x + width / 2), int(y + height / 2)
    return (
        max(0, centre_x - half),
        max(0, centre_y - half),
        min(size[0], centre_x + half),
        min(size[1], centre_y + half),
    )


def read(
    root: Path,
    *,
    text: Path | None = None,
    classes: tuple[int, int] | None = None,
    images_per_class: int | None = None,
) -> Source:
    """Read lists, boxes and captions; photographs are only located, those not there left out.

    Args:
        root: folder in the official layout.
        text: the folder `text_c10`, or the one that holds it; `root` if None.
        classes: first and last class to keep in both class lists; all if None.
        images_per_class: how many images a class keeps (see `cutting.draw`); all if None.

    Raises:
        UsageError: a folder is none, or the cut leaves a list empty.
        DataError: a file is missing or damaged, the lists disagree, an image has no caption or is
            in no list, or a class is in both class lists.
    """
    known, listed = _read_lists(root)
    _check_all_listed(root, listed=listed)
    text = _text_folder((text or root).resolve(), class_names=set(known.values()))
    split, skipped = _split(text.parent, known=known), Counter[str]()
    parts = [
        [
            bird
            for class_id in cutting.cut(ids, classes=classes)
            for bird in _birds(class_id, listed, text=text, count=images_per_class, skipped=skipped)
        ]
        for ids in (split.train, split.test)
    ]
    if not all(parts):
        raise DataError(
            f"there must be training and test images, but {root / 'images'} has {len(parts[0])} "
            f"and {len(parts[1])}."
        )
    cut = cutting.described(classes, images_per_class=images_per_class)
    return Source(
        dataset="cub200",
        description=f"CUB-200-2011 in the official layout, cropped to the box's square, captions "
        f"text_c10, {split.origin}; {cut}",
        train=parts[0],
        test=parts[1],
        skipped=dict(skipped),
    )


@dataclass(frozen=True)
class _Listed:
    """What the official lists say of an image."""

    path: Path
    class_id: int
    class_name: str
    box: Box


def _read_lists(root: Path) -> tuple[dict[int, str], list[_Listed]]:
    """Class names by id, and the images in the order of their ids."""
    if not root.is_dir():
        raise UsageError(f"root must be a folder in the CUB-200-2011 layout, but {root} is none.")
    for name in ("images", *_LISTS):
        if not (root / name).exists():
            raise DataError(
                f"a CUB-200-2011 folder must hold images/, {', '.join(_LISTS)}, but {root / name} "
                "is missing."
            )
    known = lists.rows(
        root / "classes.txt", rf"{_ID} (\S+)", example="1 001.Black_footed_Albatross"
    )
    paths = lists.rows(
        root / "images.txt", rf"{_ID} ([^/\s]+/[^/\s]+\.jpg)", example="1 001.Bird/Bird_0001.jpg"
    )
    labels = lists.rows(root / "image_class_labels.txt", rf"{_ID} {_ID}", example="1 1")
    boxes = lists.rows(
        root / "bounding_boxes.txt",
        rf"{_ID} {_NUMBER} {_NUMBER} {_NUMBER} {_NUMBER}",
        example="1 60.0 27.0 325.0 304.0",
    )
    for name, rows in (("image_class_labels.txt", labels), ("bounding_boxes.txt", boxes)):
        _check_same(name, rows, paths)
    listed = [
        _listed(root, image_id, path, known=known, labels=labels, boxes=boxes)
        for image_id, (path,) in paths.items()
    ]
    return {int(class_id): name for class_id, (name,) in known.items()}, listed


def _check_same(name: str, rows: lists.Rows, paths: lists.Rows) -> None:
    for image_id, (path,) in paths.items():
        if image_id not in rows:
            raise DataError(f"{name} must have every image, but has not {image_id} ({path}).")
    for image_id in rows:
        if image_id not in paths:
            raise DataError(f"images.txt must have every image, but has not {image_id} of {name}.")


def _listed(
    root: Path,
    image_id: str,
    path: str,
    *,
    known: lists.Rows,
    labels: lists.Rows,
    boxes: lists.Rows,
) -> _Listed:
    (class_id,) = labels[image_id]
    if class_id not in known:
        raise DataError(f"classes.txt must have every class, but has not {class_id} (of {path}).")
    (class_name,) = known[class_id]
    if not path.startswith(f"{class_name}/"):
        raise DataError(
            f"an image must lie in its class' folder, but {path} is of class {class_name}."
        )
    x, y, width, height = map(float, boxes[image_id])
    if min(width, height) <= 0 or max(width, height) < _SMALLEST:
        raise DataError(
            f"a bounding box must have a size, its longer side at least {_SMALLEST} pixels, but "
            f"that of {path} is {width}×{height}."
        )
    return _Listed(root / "images" / path, int(class_id), class_name, (x, y, width, height))


def _check_all_listed(root: Path, *, listed: list[_Listed]) -> None:
    known = {image.path for image in listed}
    for path in sorted((root / "images").rglob("*")):
        if path.is_file() and path not in known and not path.name.startswith("."):
            raise DataError(f"images.txt must name every image, but {path} is in no line of it.")


def _text_folder(text: Path, *, class_names: set[str]) -> Path:
    folder = text / "text_c10" if (text / "text_c10").is_dir() else text
    if not any((folder / name).is_dir() for name in class_names):
        raise UsageError(
            f"captions must be in text_c10/{min(class_names)}/, …, but {folder} has no folder of a "
            "class: name text_c10, or the folder that holds it, with --text DIR."
        )
    return folder


def _split(folder: Path, *, known: dict[int, str]) -> text_c10.Split:
    thesis_test = resources.files(__package__).joinpath("cub_test_classes.txt").read_text().split()
    ids = {name: class_id for class_id, name in known.items()}
    return text_c10.split(folder, ids=ids, thesis_test=thesis_test)


def _birds(
    class_id: int, listed: list[_Listed], *, text: Path, count: int | None, skipped: Counter[str]
) -> list[Bird]:
    """The images of a class that are there, at most `count`, with their captions."""
    of_class = [image for image in listed if image.class_id == class_id]
    there = [image for image in of_class if image.path.exists()]
    if len(there) < len(of_class):
        skipped["images listed but absent"] += len(of_class) - len(there)
    return [
        Bird(
            image_id=image.path.stem,
            class_id=class_id,
            class_name=image.class_name,
            captions=text_c10.captions(
                text / image.class_name / f"{image.path.stem}.txt", skipped=skipped
            ),
            path=image.path,
            box=image.box,
        )
        for image in cutting.draw(there, class_id=class_id, count=count)
    ]
