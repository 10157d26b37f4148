"""Photographs of one's own, in a folder a class, with captions written or spoken.

Layout: `images/<class>/<name>.jpg` (or .png, .tif, .webp, .gif, .bmp), and of each image

- `captions/<class>/<name>.txt`, a caption a line, which an engine speaks; or
- `recordings/<class>/<name>.wav` (.flac, .ogg, .mp3, …), further ones `<name>.2.wav`, …: with a
  folder `recordings` nothing is spoken, and captions are only texts, if they are there.

Names are anyone's: an image's id is its class' number and what of both names a shard can hold.
Test classes are a fifth, drawn by their names, unless `trainvalclasses.txt` and `testclasses.txt`
(a class a line) say them.
"""

import hashlib
import re
from collections import Counter
from pathlib import Path

from data_shards import draws
from data_shards.datasets import cutting, text_c10
from data_shards.datasets.base import Photograph, Source, Take
from data_shards.errors import DataError, UsageError
from data_shards.recordings import VOICE

_SUFFIXES = (".jpg", ".jpeg", ".png", ".tif", ".tiff", ".webp", ".gif", ".bmp")
_FEWEST_CLASSES = 4  # two to train on, since a loss compares classes, and two to tell apart
_MOST_CAPTIONS = 1000
_LONGEST_NAME = 60
_UNSAFE = re.compile(r"[^A-Za-z0-9_-]+")


def read(
    root: Path,
    *,
    classes: tuple[int, int] | None = None,
    images_per_class: int | None = None,
) -> Source:
    """Read the folders and captions; photographs and recordings are only located.

    Args:
        root: folder in the layout above.
        classes: first and last class to keep of those for training and for the test, by their
            place, from 1, among the sorted names; all if None.
        images_per_class: how many images a class keeps (see `cutting.draw`); all if None.

    Raises:
        UsageError: `root` is no folder, or the cut leaves a list empty.
        DataError: there are too few classes, a file is no image or no image's, or an image has
            neither caption nor recording.
    """
    _check_layout(root)
    ids = {name: number for number, name in enumerate(_class_names(root), start=1)}
    split = text_c10.split(root, ids=ids, thesis_test=_drawn(list(ids)))
    names, skipped = {number: name for name, number in ids.items()}, Counter[str]()
    takes: dict[str, dict[int, Take]] = {}
    parts = [
        [
            _photograph(root, path, class_id=number, skipped=skipped, takes=takes)
            for number in cutting.cut(numbers, classes=classes)
            for path in cutting.draw(
                _images(root / "images" / names[number]), class_id=number, count=images_per_class
            )
        ]
        for numbers in (split.train, split.test)
    ]
    cut = cutting.described(classes, images_per_class=images_per_class)
    return Source(
        dataset="own",
        description=f"photographs in a folder a class, {_split_in_words(root)}; {cut}",
        train=parts[0],
        test=parts[1],
        takes=takes if _recorded(root) else None,
        skipped=dict(skipped),
    )


def _check_layout(root: Path) -> None:
    if not root.is_dir():
        raise UsageError(f"root must be a folder with images/<class>/, but {root} is none.")
    if not (root / "images").is_dir():
        raise DataError(f"one's own data must hold images/<class>/, but {root / 'images'} is none.")
    if not (_recorded(root) or (root / "captions").is_dir()):
        raise DataError(
            f"one's own data must hold captions/ or recordings/ beside images/, but {root} has "
            "neither."
        )


def _recorded(root: Path) -> bool:
    return (root / "recordings").is_dir()


def _class_names(root: Path) -> list[str]:
    found = [path for path in _visible(root / "images") if path.is_dir()]
    if len(found) < _FEWEST_CLASSES:
        raise DataError(
            f"there must be at least {_FEWEST_CLASSES} classes, a folder each, but "
            f"{root / 'images'} has {len(found)}."
        )
    return [path.name for path in found]


def _visible(folder: Path) -> list[Path]:
    """What is in a folder, by name; none if there is no such folder."""
    if not folder.is_dir():
        return []
    return sorted(path for path in folder.iterdir() if not path.name.startswith("."))


def _drawn(names: list[str]) -> set[str]:
    """The test classes: a fifth, drawn by name, so that another class changes little."""
    order = sorted(names, key=lambda name: draws.key(0, "own test classes", name))
    return set(order[: max(2, round(len(names) / 5))])


def _split_in_words(root: Path) -> str:
    listed = (root / "testclasses.txt").exists()
    return "its class lists" if listed else "a fifth of the classes drawn for the test"


def _images(folder: Path) -> list[Path]:
    found: dict[str, Path] = {}
    for path in _visible(folder):
        if path.suffix.lower() not in _SUFFIXES:
            raise DataError(f"an image must be {', '.join(_SUFFIXES)}, but there is {path}.")
        other = found.setdefault(path.stem, path)
        if other != path:
            raise DataError(f"an image must have a name of its own, but {other} and {path} share.")
    if not found:
        raise DataError(f"a class must have at least one image, but {folder} has none.")
    return list(found.values())


def _photograph(
    root: Path,
    path: Path,
    *,
    class_id: int,
    skipped: Counter[str],
    takes: dict[str, dict[int, Take]],
) -> Photograph:
    class_name, image_id = path.parent.name, _image_id(path, class_id)
    text = root / "captions" / class_name / f"{path.stem}.txt"
    spoken = _recorded(root)
    if spoken:
        takes[image_id] = _takes(root / "recordings" / class_name, path)
    captions = text_c10.captions(text, skipped=skipped) if text.exists() or not spoken else None
    count = max(takes.get(image_id, {}), default=0) + 1
    if captions and spoken and count > len(captions):
        raise DataError(
            f"a recording must be of a caption, but {takes[image_id][count - 1].path} is of number "
            f"{count}, and {text} has {len(captions)}."
        )
    return Photograph(
        image_id=image_id,
        class_id=class_id,
        class_name=class_name,
        captions=captions or ("",) * count,
        path=path,
    )


def _image_id(path: Path, class_id: int) -> str:
    """E.g. `0003_rose_IMG-1`; a digest of the name where that lost something of it."""
    name = f"{path.parent.name}_{path.stem}"
    safe = _UNSAFE.sub("-", name)[:_LONGEST_NAME]
    digest = hashlib.sha256(path.stem.encode("utf-8", "surrogateescape")).hexdigest()[:8]
    return f"{class_id:04d}_{safe}" + (f"-{digest}" if safe != name else "")


def _takes(folder: Path, image: Path) -> dict[int, Take]:
    """An image's recordings, by the number of the caption from 0."""
    if re.search(r"\.\d+$", image.stem):
        raise DataError(
            f"an image with recordings must not be named as they are, but there is {image}: "
            "rename it."
        )
    named = re.compile(re.escape(image.stem) + r"(?:\.(\d{1,9}))?\.[A-Za-z0-9]+")
    found: dict[int, Take] = {}
    for path in _visible(folder):
        match = named.fullmatch(path.name)
        if match is None:
            continue
        number = int(match[1] or 1)
        if not 1 <= number <= _MOST_CAPTIONS:
            raise DataError(
                f"recordings must be numbered from 1 to {_MOST_CAPTIONS}, but there is {path}."
            )
        other = found.setdefault(number - 1, Take(path, VOICE))
        if other.path != path:
            raise DataError(
                f"a caption must have one recording, but there are {other.path} and {path}."
            )
    return found
