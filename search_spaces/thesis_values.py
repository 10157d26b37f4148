"""The thesis' own numbers, to stand beside ours: its tables, and its author's logs.

Files of `thesis/`: table, row_label, dataset, direction, metric, value (percent; med_r a rank).
"""

import csv
from functools import cache
from importlib.resources import files

DATASETS = {"oxford102": "Oxford-102", "cub200": "CUB-200", "flickr8k": "Flickr8k"}
_DIRECTIONS = {"s2i": "speech_to_image", "i2s": "image_to_speech"}
_METRICS = {"r1": "R@1", "r5": "R@5", "r10": "R@10", "medr": "med_r", "map50_thesis": "mAP@50"}
SINGLE_CHECKPOINT = ("author_log_single_checkpoint", "VFSEL gamma=13 epoch 60")
"""Table and row of what one checkpoint gave, where the printed row of VFSEL mixes two."""


def value(table: str, row: str, *, dataset: str, direction: str, metric: str) -> float | None:
    """What the thesis has there; None where it has nothing.

    Args:
        table: a file of `thesis/` without its ending, e.g. `table_5_6`.
        row: the row's label; what is in parentheses behind it may be left out.
        dataset: a data set's name here, e.g. `oxford102`.
        direction: `s2i` or `i2s`.
        metric: `r1`, `r5`, `r10`, `medr` or `map50_thesis`, the only mAP@50 that it has.
    """
    if dataset not in DATASETS or metric not in _METRICS:
        return None
    place = (DATASETS[dataset], _DIRECTIONS[direction], _METRICS[metric])
    found = _rows(table)
    return found.get((row, *place), found.get((row.partition(" (")[0], *place)))


@cache
def _rows(table: str) -> dict[tuple[str, str, str, str], float]:
    text = (files("search_spaces") / "thesis" / f"{table}.csv").read_text()
    return {
        (label, line["dataset"], line["direction"], line["metric"]): float(line["value"])
        for line in csv.DictReader(text.splitlines())
        for label in (line["row_label"], line["row_label"].partition(" (")[0])
    }
