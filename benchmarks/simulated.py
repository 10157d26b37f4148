"""Simulated sweeps whose truth is known, as the per-query arrays that real trials record."""

from dataclasses import dataclass

import numpy as np

from orchestrator.statistics.cells import CellScores
from orchestrator.statistics.scores import Array, scores

IMAGES, CAPTIONS = 5, 2
"""An image's class has so many images, and each image so many captions."""


@dataclass(frozen=True)
class Setting:
    """Standard deviations, on the logit scale, of what makes a cell's R@1 vary."""

    seed: float
    class_: float
    both: float
    """Of a class in one training run."""
    image: float = 0.5


SETTINGS = {
    "classes differ most": Setting(seed=0.15, class_=0.3, both=0.15),
    "seeds differ most": Setting(seed=0.4, class_=0.15, both=0.15),
}


def cells(
    rng: np.random.Generator,
    setting: Setting,
    *,
    count: int,
    seeds: int,
    classes: int,
    effect: float = 0.0,
) -> list[CellScores]:
    """Cells that differ by chance alone, but for the logits that are added to the last one."""
    common_CI = rng.normal(0, 1, classes)[:, None] + rng.normal(0, 1, (classes, IMAGES))
    return [
        _cell(rng, setting, common_CI + (effect if place == count - 1 else 0.0), place, seeds)
        for place in range(count)
    ]


def _cell(
    rng: np.random.Generator, setting: Setting, common_CI: Array, place: int, seeds: int
) -> CellScores:
    classes = len(common_CI)
    own_CI = common_CI + rng.normal(0, setting.class_, (classes, 1))
    own_CI = own_CI + rng.normal(0, setting.image, own_CI.shape)
    cell = CellScores({"variant": f"cell {place}"})
    for seed in range(seeds):
        run_CI = own_CI + rng.normal(0, setting.seed) + rng.normal(0, setting.both, (classes, 1))
        queries = _queries(rng, run_CI.ravel() - 0.5, classes)
        found = scores(queries)
        assert found is not None
        cell.scores[seed] = found
        cell.tests[seed] = {f"{d}_r1": 100.0 * float(np.mean(queries[f"{d}_rank"] == 1))
                            for d in ("s2i", "i2s")}  # fmt: skip
    return cell


def _queries(rng: np.random.Generator, logit_N: Array, classes: int) -> dict[str, Array]:
    """A hit at rank 1 with the image's probability, else rank 2."""
    image_N = np.repeat(np.arange(classes), IMAGES)
    caption_M = np.repeat(np.arange(len(image_N)), CAPTIONS)
    found = {"image_class": image_N, "caption_image": caption_M}
    for direction, logit_Q in (("s2i", logit_N[caption_M]), ("i2s", logit_N)):
        hit_Q = rng.random(len(logit_Q)) < 1 / (1 + np.exp(-logit_Q))
        found[f"{direction}_rank"] = np.where(hit_Q, 1, 2)
        for name in ("map50", "map50_hits", "map50_thesis"):
            found[f"{direction}_{name}"] = hit_Q.astype(float)
    return found
