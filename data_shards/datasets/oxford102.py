"""Oxford-102 flowers (Nilsback and Zisserman 2008), captions of Reed et al. 2016.

Official layout: `jpg/image_NNNNN.jpg`, `imagelabels.mat` (labels 1…102 in image order) and
`text_c10/class_CCCCC/image_NNNNN.txt` (one caption a line; any number from 1). Optional:
`trainvalclasses.txt` and `testclasses.txt` (one `class_CCCCC` a line), else the thesis' split
(test = classes 1-20, Table 3.1), and `cat_to_name.json` for names.
"""

import json
import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import final

import numpy as np
import scipy.io
from PIL import Image

from data_shards import draws
from data_shards.datasets.base import Source, SourceImage
from data_shards.errors import DataError, UsageError

_LISTS = ("trainvalclasses.txt", "testclasses.txt")
_THESIS_TEST = set(range(1, 21))
_SEED = 0


@final
@dataclass(frozen=True, kw_only=True)
class Photograph(SourceImage):
    """A JPEG file."""

    path: Path

    def open(self) -> Image.Image:
        return Image.open(self.path)


def read(
    root: Path,
    *,
    classes: tuple[int, int] | None = None,
    images_per_class: int | None = None,
) -> Source:
    """Read labels, class lists and captions; photographs are only located.

    Args:
        root: folder in the official layout.
        classes: first and last class to keep in both lists; all if None.
        images_per_class: how many images a class keeps, drawn with a fixed seed (a larger number
            keeps those of a smaller one); all if None.

    Raises:
        UsageError: `root` is no folder, or the cut leaves a list empty.
        DataError: a file is missing or damaged, an image has no caption, or a class is in both
            lists.
    """
    _check_layout(root)
    images = _images_of_classes(root / "imagelabels.mat")
    train, test = (_cut(ids, classes=classes) for ids in _class_lists(root, known=set(images)))
    labels = {
        class_id: _draw(images[class_id], class_id=class_id, count=images_per_class)
        for class_id in train + test
    }
    names, skipped = _names(root / "cat_to_name.json"), Counter[str]()
    lists = [
        [
            _photograph(root, number, class_id=class_id, names=names, skipped=skipped)
            for class_id in ids
            for number in labels[class_id]
        ]
        for ids in (train, test)
    ]
    return Source(
        dataset="oxford102",
        description=_description(classes, images_per_class=images_per_class),
        train=lists[0],
        test=lists[1],
        skipped=dict(skipped),
    )


def _description(classes: tuple[int, int] | None, *, images_per_class: int | None) -> str:
    cut = f"classes {classes[0]}-{classes[1]}" if classes else "all classes"
    per_class = f"{images_per_class} images a class" if images_per_class else "all images"
    return f"Oxford-102 flowers in the official layout, captions text_c10; {cut}, {per_class}"


def _check_layout(root: Path) -> None:
    if not root.is_dir():
        raise UsageError(f"root must be a folder in the Oxford-102 layout, but {root} is none.")
    for name in ("jpg", "imagelabels.mat", "text_c10"):
        if not (root / name).exists():
            raise DataError(
                f"an Oxford-102 folder must hold jpg/, imagelabels.mat and text_c10/, "
                f"but {root / name} is missing."
            )


def _images_of_classes(path: Path) -> dict[int, list[int]]:
    try:
        labels = scipy.io.loadmat(path)["labels"].ravel().astype(int)
    except Exception as error:  # SciPy raises any kind on a damaged file
        raise DataError(f"{path} must hold the array `labels`, but does not ({error}).") from error
    return {
        class_id: [int(index) + 1 for index in np.flatnonzero(labels == class_id)]
        for class_id in sorted(set(labels.tolist()))
    }


def _class_lists(root: Path, *, known: set[int]) -> tuple[list[int], list[int]]:
    train, test = _listed(root, known=known)
    if not train or not test:
        raise DataError(
            f"there must be training and test classes, but {root} has {len(train)} and {len(test)}."
        )
    return train, test


def _listed(root: Path, *, known: set[int]) -> tuple[list[int], list[int]]:
    present = [name for name in _LISTS if (root / name).exists()]
    if not present:
        return sorted(known - _THESIS_TEST), sorted(known & _THESIS_TEST)
    if len(present) == 1:
        missing = (set(_LISTS) - set(present)).pop()
        raise DataError(f"class lists must come in pairs, but {root / missing} is missing.")
    train, test = (_class_list(root / name, known=known) for name in _LISTS)
    both = sorted(set(train) & set(test))
    if both:
        raise DataError(
            f"training and test classes must be disjoint, but {' and '.join(_LISTS)} "
            f"share {', '.join(map(str, both))}."
        )
    return train, test


def _class_list(path: Path, *, known: set[int]) -> list[int]:
    ids = []
    for line in filter(None, map(str.strip, path.read_text().splitlines())):
        match = re.fullmatch(r"class_(\d+)", line)
        if match is None or int(match[1]) not in known:
            raise DataError(f"{path} must list classes as class_00001, but has {line!r}.")
        ids.append(int(match[1]))
    return sorted(set(ids))


def _cut(ids: list[int], *, classes: tuple[int, int] | None) -> list[int]:
    if classes is None:
        return ids
    first, last = classes
    kept = [class_id for class_id in ids if first <= class_id <= last]
    if not kept:
        raise UsageError(
            f"classes must leave some of the training and some of the test classes, but "
            f"{first}-{last} leaves none of {ids[0]}-{ids[-1]}."
        )
    return kept


def _draw(numbers: list[int], *, class_id: int, count: int | None) -> list[int]:
    if count is None:
        return numbers
    if count < 1:
        raise UsageError(f"images_per_class must be >= 1, but got {count}.")
    order = draws.rng(_SEED, "images of a class", class_id).permutation(len(numbers))
    return sorted(numbers[index] for index in order[:count])


def _names(path: Path) -> dict[str, str]:
    if not path.exists():
        return {}
    try:
        return {str(key): str(name) for key, name in json.loads(path.read_text()).items()}
    except (ValueError, AttributeError) as error:
        raise DataError(f"{path} must map class numbers to names, but {error}.") from error


def _photograph(
    root: Path, number: int, *, class_id: int, names: dict[str, str], skipped: Counter[str]
) -> Photograph:
    image_id = f"image_{number:05d}"
    path = root / "jpg" / f"{image_id}.jpg"
    if not path.exists():
        raise DataError(f"imagelabels.mat names {image_id}, but {path} is missing.")
    text = root / "text_c10" / f"class_{class_id:05d}" / f"{image_id}.txt"
    return Photograph(
        image_id=image_id,
        class_id=class_id,
        class_name=names.get(str(class_id), f"class_{class_id:05d}"),
        captions=_captions(text, skipped=skipped),
        path=path,
    )


def _captions(path: Path, *, skipped: Counter[str]) -> tuple[str, ...]:
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except FileNotFoundError as error:
        raise DataError(
            f"an image must have captions, but {path.stem} has none: {path} is missing."
        ) from error
    captions = tuple(filter(None, map(str.strip, lines)))
    if not captions:
        raise DataError(f"an image must have captions, but {path.stem} has none: {path} is blank.")
    if len(captions) < len(lines):
        skipped["blank caption lines"] += len(lines) - len(captions)
    return captions
