"""Which metrics answer a question, by data set: the one place that knows it."""

from dataclasses import dataclass

DIRECTIONS = ("s2i", "i2s")


@dataclass(frozen=True)
class Metric:
    """A test metric: its name in a record behind the direction (`s2i_r1`), and how it is shown."""

    name: str
    head: str
    decimals: int = 2


_METRICS = {
    metric.name: metric
    for metric in (
        Metric("r1", "R@1"),
        Metric("r5", "R@5"),
        Metric("r10", "R@10"),
        Metric("medr", "med r", decimals=1),
        Metric("map50", "mAP@50"),
        Metric("map50_hits", "mAP@50 (hits)"),
        Metric("map50_thesis", "mAP@50 (thesis)"),
        Metric("chance", "chance"),
    )
}
_HEADLINE = {
    "oxford102": ("r1", "map50_thesis"),  # Tables 5.5–5.7
    "cub200": ("r1", "map50_thesis"),
    "flickr8k": ("r1", "r5", "r10", "medr"),  # Table 5.4
}
_ELSEWHERE = ("r1", "map50")  # where no thesis value can stand beside it: the standard definition
_FURTHER = ("map50", "map50_hits", "map50_thesis", "chance")


def headline(dataset: str) -> list[Metric]:
    """The metrics in which a data set's table is written; of mAP@50, the thesis has only
    `map50_thesis`, so that no other may stand beside its values."""
    return [_METRICS[name] for name in _HEADLINE.get(dataset, _ELSEWHERE)]


def further(dataset: str) -> list[Metric]:
    """What is shown too, for which the thesis has no value; chance among it."""
    shown = {metric.name for metric in headline(dataset)}
    return [_METRICS[name] for name in _FURTHER if name not in shown]


def every() -> list[Metric]:
    """All test metrics."""
    return list(_METRICS.values())
