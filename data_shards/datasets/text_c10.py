"""Captions and class lists of Reed et al. 2016: the folder `text_c10` and the files beside it."""

from collections import Counter
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import NamedTuple

from data_shards.errors import DataError

_LISTS = ("trainvalclasses.txt", "testclasses.txt")


class Split(NamedTuple):
    """Ids of the training and of the test classes, sorted, and whose split it is, in words."""

    train: list[int]
    test: list[int]
    origin: str


def captions(path: Path, *, skipped: Counter[str]) -> tuple[str, ...]:
    """The captions of an image, a line each; blank lines are counted in `skipped`.

    Raises:
        DataError: there is none.
    """
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except FileNotFoundError as error:
        raise DataError(
            f"an image must have captions, but {path.stem} has none: {path} is missing."
        ) from error
    found = tuple(filter(None, map(str.strip, lines)))
    if not found:
        raise DataError(f"an image must have captions, but {path.stem} has none: {path} is blank.")
    if len(found) < len(lines):
        skipped["blank caption lines"] += len(lines) - len(found)
    return found


def split(folder: Path, *, ids: Mapping[str, int], thesis_test: Collection[str]) -> Split:
    """The class-disjoint split: the lists in `folder` where present, else the thesis'.

    Args:
        folder: where `trainvalclasses.txt` and `testclasses.txt` are looked for.
        ids: id of each class by its name.
        thesis_test: names of the thesis' test classes; those of the others train.

    Raises:
        DataError: one list alone, an unknown class, a class in both or neither, or no class in
            one.
    """
    found = _listed(folder, ids=ids)
    if found is None:
        test = {ids[name] for name in ids.keys() & set(thesis_test)}
        found = Split(sorted(set(ids.values()) - test), sorted(test), "the thesis' split")
    if not found.train or not found.test:
        raise DataError(
            f"there must be training and test classes, but {folder} has {len(found.train)} and "
            f"{len(found.test)}."
        )
    return found


def _listed(folder: Path, *, ids: Mapping[str, int]) -> Split | None:
    present = [name for name in _LISTS if (folder / name).exists()]
    if not present:
        return None
    if len(present) == 1:
        missing = (set(_LISTS) - set(present)).pop()
        raise DataError(f"class lists must come in pairs, but {folder / missing} is missing.")
    train, test = (_class_list(folder / name, ids=ids) for name in _LISTS)
    both = sorted(set(train) & set(test))
    if both:
        raise DataError(
            f"training and test classes must be disjoint, but {' and '.join(_LISTS)} "
            f"share {', '.join(map(str, both))}."
        )
    neither = sorted(set(ids.values()) - set(train) - set(test))
    if neither:
        raise DataError(
            f"every class must be in {' or '.join(_LISTS)}, but {neither[0]} is in neither "
            f"({len(neither)} in all)."
        )
    return Split(train, test, "its class lists")


def _class_list(path: Path, *, ids: Mapping[str, int]) -> list[int]:
    names = list(filter(None, map(str.strip, path.read_text(errors="replace").splitlines())))
    for name in names:
        if name not in ids:
            known = min(ids, default="none")
            raise DataError(f"{path} must list classes such as {known}, but has {name!r}.")
    return sorted({ids[name] for name in names})
