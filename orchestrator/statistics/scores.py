"""A trial's test results a class, from the arrays of its single queries.

S seeds, C test classes, Q queries of a direction.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]
DIRECTIONS = ("s2i", "i2s")
RECALLS = (1, 5, 10)
PRECISIONS = ("map50", "map50_hits", "map50_thesis")
PRIMARY = "r1_sum"
"""R@1 of both directions, added: what cells are compared by."""


@dataclass(frozen=True)
class Scores:
    """Sums over the queries of each class (percent), and how many queries those are."""

    sums: Mapping[str, Array]
    """Metric of a direction, e.g. `s2i_r1` → (C,)."""
    queries: Mapping[str, Array]
    """Direction → (C,)."""
    asked: str
    """Digest of what was asked: trials with another cannot be paired."""


def parts(metric: str) -> list[str]:
    """The metrics of single directions that are added: two for `r1_sum`, else itself."""
    return [f"{direction}_r1" for direction in DIRECTIONS] if metric == PRIMARY else [metric]


def metrics() -> list[str]:
    """All that are means over queries, `r1_sum` first; the median rank is none."""
    names = [*(f"r{k}" for k in RECALLS), *PRECISIONS]
    return [PRIMARY, *(f"{direction}_{name}" for direction in DIRECTIONS for name in names)]


def scores(queries: Mapping[str, Array]) -> Scores | None:
    """A trial's scores from its per-query arrays (`Storage.queries`).

    Returns:
        None for a record without them.
    """
    if not {"image_class", "caption_image", *(f"{d}_rank" for d in DIRECTIONS)} <= queries.keys():
        return None
    image_N, classes = np.asarray(queries["image_class"]), np.unique(queries["image_class"])
    of_image_N = np.searchsorted(classes, image_N)
    of_query = {"s2i": of_image_N[queries["caption_image"]], "i2s": of_image_N}
    gallery = {"s2i": len(of_query["i2s"]), "i2s": len(of_query["s2i"])}
    size = len(classes)
    sums = {
        f"{direction}_{name}": np.bincount(of_query[direction], 100.0 * value_Q, minlength=size)
        for direction in DIRECTIONS
        for name, value_Q in _values(queries, direction, gallery[direction]).items()
    }
    counts = {d: np.bincount(of_query[d], minlength=size) for d in DIRECTIONS}
    return Scores(sums, counts, _digest(image_N, queries["caption_image"]))


def _values(queries: Mapping[str, Array], direction: str, gallery: int) -> dict[str, Array]:
    """Each query's hit or average precision, 0 … 1."""
    rank_Q = queries[f"{direction}_rank"]
    found = {f"r{k}": (rank_Q <= min(k, gallery)).astype(float) for k in RECALLS}
    return found | {name: queries[f"{direction}_{name}"].astype(float) for name in PRECISIONS}


def _digest(*arrays: Array) -> str:
    text = b"|".join(np.ascontiguousarray(array, dtype=np.int64).tobytes() for array in arrays)
    return hashlib.sha256(text).hexdigest()
