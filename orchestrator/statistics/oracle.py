"""How much a choice that peeked at the test split flatters (the thesis' practice)."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from orchestrator.planning import Question
from orchestrator.statistics.bootstrap import resample
from orchestrator.statistics.cells import CellScores, cells_of, contrast
from orchestrator.statistics.findings import Estimate
from orchestrator.statistics.scores import PRIMARY, Scores
from orchestrator.storage import Storage


def flattery(question: Question, storage: Storage) -> Estimate | None:
    """R@1 sum of the trials whose epoch the test split chose, minus that of the same trials with
    the epoch that validation chose; points, over cells and seeds that have both.

    Returns:
        None where no such pair is recorded.
    """
    chosen = _all(question, storage, selection="val")
    peeked = _all(question, storage, selection="test")
    places = sorted(set(chosen.tests) & set(peeked.tests))
    if not places:
        return None
    value = sum(_sum(peeked, place) - _sum(chosen, place) for place in places) / len(places)
    cells = {"peeked": peeked, "chosen": chosen}
    tables = contrast({"peeked": 1.0, "chosen": -1.0}, cells, PRIMARY)
    if tables is None or len(places) < 2:
        return Estimate(value)
    drawn = resample(tables)
    return Estimate(value, *drawn.interval, drawn.p)


def _all(question: Question, storage: Storage, *, selection: str) -> CellScores:
    """All cells of a sweep as one, each trial in the place of a seed."""
    base = question.base.replace(selection=selection)
    cells = cells_of(replace(question, base=base), storage)
    tests: dict[Any, Mapping[str, float]] = {}
    found: dict[Any, Scores] = {}
    for cell in cells:
        tests |= {(cell.label, seed): test for seed, test in cell.tests.items()}
        found |= {(cell.label, seed): own for seed, own in cell.scores.items()}
    return CellScores({}, tests, found)


def _sum(cell: CellScores, place: tuple[str, int]) -> float:
    return sum(cell.tests[place][name] for name in ("s2i_r1", "i2s_r1"))
