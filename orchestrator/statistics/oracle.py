"""How much a choice that peeked at the test split flatters (the thesis' practice)."""

from dataclasses import replace
from statistics import fmean

import numpy as np

from orchestrator.planning import Question
from orchestrator.statistics.bootstrap import resample
from orchestrator.statistics.cells import CellScores, cells_of, common_seeds, paired
from orchestrator.statistics.findings import Estimate
from orchestrator.statistics.scores import PRIMARY
from orchestrator.storage import Storage


def flattery(question: Question, storage: Storage) -> Estimate | None:
    """R@1 sum of the trials whose epoch the test split chose, minus that of the same trials with
    the epoch that validation chose: the mean over cells, over the seeds that all of them have;
    points.

    Returns:
        None where no cell is recorded in both ways.
    """
    chosen, peeked = (_cells(question, storage, selection) for selection in ("val", "test"))
    pairs = [(peeked[label], chosen[label]) for label in chosen if label in peeked]
    pairs = [pair for pair in pairs if common_seeds(*pair)]
    seeds = common_seeds(*(cell for pair in pairs for cell in pair)) if pairs else []
    if not seeds:
        return None
    value = fmean(_sum(one, seed) - _sum(other, seed) for one, other in pairs for seed in seeds)
    tables = [paired(one, other, PRIMARY, seeds=seeds) for one, other in pairs]
    known = [table for table in tables if table is not None]
    if len(seeds) < 2 or len(known) < len(pairs):
        return Estimate(value)
    mean_SC = np.mean(known, axis=0)
    drawn = resample([(mean_SC, np.ones(mean_SC.shape[1]))])
    return Estimate(value, *drawn.interval, drawn.p)


def _cells(question: Question, storage: Storage, selection: str) -> dict[str, CellScores]:
    base = question.base.replace(selection=selection)
    return {cell.label: cell for cell in cells_of(replace(question, base=base), storage)}


def _sum(cell: CellScores, seed: int) -> float:
    return sum(cell.tests[seed][name] for name in ("s2i_r1", "i2s_r1"))
