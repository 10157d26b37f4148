"""Oxford-102 flowers (Nilsback and Zisserman 2008), captions of Reed et al. 2016.

Official layout: `jpg/image_NNNNN.jpg`, `imagelabels.mat` (labels 1…102 in image order) and
`text_c10/class_CCCCC/image_NNNNN.txt` (one caption a line; any number from 1). Optional:
`trainvalclasses.txt` and `testclasses.txt` (one `class_CCCCC` a line), else the thesis' split
(test = classes 1-20, Table 3.1), and `cat_to_name.json` for names.
"""

import json
from collections import Counter
from pathlib import Path

import numpy as np
import scipy.io

from data_shards.datasets import cutting, text_c10
from data_shards.datasets.base import Photograph, Source
from data_shards.errors import DataError, UsageError

_THESIS_TEST = {f"class_{class_id:05d}" for class_id in range(1, 21)}


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
    split = _class_lists(root, known=set(images))
    train, test = (cutting.cut(ids, classes=classes) for ids in split)
    labels = {
        class_id: cutting.draw(images[class_id], class_id=class_id, count=images_per_class)
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
    cut = cutting.described(classes, images_per_class=images_per_class)
    return f"Oxford-102 flowers in the official layout, captions text_c10; {cut}"


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
    ids = {f"class_{class_id:05d}": class_id for class_id in known}
    split = text_c10.split(root, ids=ids, thesis_test=_THESIS_TEST)
    return split.train, split.test


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
        captions=text_c10.captions(text, skipped=skipped),
        path=path,
    )
