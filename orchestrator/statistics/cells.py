"""The cells of a sweep with the scores of their recorded trials, and which is the baseline."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from orchestrator.answers import answer
from orchestrator.planning import Question
from orchestrator.statistics.scores import Array, Scores, parts, scores
from orchestrator.storage import Storage
from search_spaces.designs import VARIANT, cell_label, is_thesis_own


@dataclass(frozen=True)
class CellScores:
    """A cell: of each recorded seed its test metrics, and its scores where it has them."""

    varies: Mapping[str, Any]
    tests: dict[int, Mapping[str, float]] = field(default_factory=dict)
    scores: dict[int, Scores] = field(default_factory=dict)

    @property
    def label(self) -> str:
        """As in every table."""
        return cell_label(self.varies) or "VFSEL"


def cells_of(question: Question, storage: Storage) -> list[CellScores]:
    """All cells of a plan, the baseline first.

    The baseline is what the thesis has itself: its levels, or the first variant; of a refined
    number the base's own value. Where that is not planned, the cell that validation chose.
    """
    trials = question.plan(storage).trials
    records = storage.records([trial.id for trial in trials], keep=("test",))
    found: dict[str, CellScores] = {}
    for trial in trials:
        cell = found.setdefault(trial.cell, CellScores(trial.varies))
        if trial.id in records:
            seed, own = trial.experiment.seed, scores(storage.queries(trial.id))
            cell.tests[seed] = records[trial.id]["test"]
            if own:
                cell.scores[seed] = own
    first = _baseline(list(found.values()), question, storage)
    return [first, *(cell for cell in found.values() if cell is not first)]


def _baseline(cells: list[CellScores], question: Question, storage: Storage) -> CellScores:
    if VARIANT in cells[0].varies:
        return cells[0]
    own = [cell for cell in cells if is_thesis_own(cell.varies)]
    if own:
        return own[0]
    best = answer(question, storage).best
    return next((cell for cell in cells if best and cell.varies == best.varies), cells[0])


def common_seeds(*cells: CellScores) -> list[int]:
    """Seeds that are recorded in all of these cells."""
    return sorted(set.intersection(*(set(cell.tests) for cell in cells)))


def contrast(
    weighted: Mapping[str, float],
    cells: Mapping[str, CellScores],
    metric: str,
    *,
    seeds: Sequence[int] = (),
) -> list[tuple[Array, Array]] | None:
    """A weighted sum of cells over their common seeds, or these, for `bootstrap.resample`.

    Args:
        weighted: cell → weight; 1 and −1 for a difference.

    Returns:
        None without common seeds, or where trials were not asked the same queries.
    """
    chosen = [cells[label] for label in weighted]
    common = list(seeds) or common_seeds(*chosen)
    found = [cell.scores.get(seed) for seed in common for cell in chosen]
    known = [own for own in found if own]
    if not known or len(known) < len(found) or len({own.asked for own in known}) > 1:
        return None
    return [
        (_table(part, weighted, cells, common), known[0].queries[part.split("_")[0]])
        for part in parts(metric)
    ]


def _table(
    part: str, weighted: Mapping[str, float], cells: Mapping[str, CellScores], seeds: Sequence[int]
) -> Array:
    return sum(
        (
            weight * np.stack([cells[label].scores[seed].sums[part] for seed in seeds])
            for label, weight in weighted.items()
        ),
        start=np.zeros(()),
    )


def paired(
    cell: CellScores, base: CellScores, metric: str, *, seeds: Sequence[int] = ()
) -> Array | None:
    """(S, C): differences of class means, points; None where they cannot be paired."""
    both = {"cell": cell, "base": base}
    tables = contrast({"cell": 1.0, "base": -1.0}, both, metric, seeds=seeds)
    if tables is None:
        return None
    return sum((sums / np.maximum(counts, 1) for sums, counts in tables), start=np.zeros(()))
