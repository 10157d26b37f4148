"""The table of a sweep: the one value that every format of a report shows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, stdev
from typing import TYPE_CHECKING, Any

from orchestrator.answers import Answer, answer
from orchestrator.headline import DIRECTIONS, every
from orchestrator.planning import Question
from orchestrator.report.stated import stated
from orchestrator.storage import Record, Storage
from search_spaces.designs import Trial, cell_label, is_thesis_own
from search_spaces.sweep import Sweep
from search_spaces.thesis_values import SINGLE_CHECKPOINT, value

if TYPE_CHECKING:
    from orchestrator.statistics.findings import Compared, Findings

LONE = "VFSEL"
"""Label of a lone cell, in which nothing varies."""
_MIXED = ("VFSEL (proposed)", "att-I|B3 (proposed)")
"""Rows that print VFSEL itself; on Oxford-102 they mix two checkpoints."""


@dataclass(frozen=True)
class Value:
    """A test metric of a cell: mean over recorded seeds, and what the thesis has there."""

    ours: float | None
    spread: float | None
    """Standard deviation over seeds (n − 1); None below two."""
    thesis: float | None
    single: float | None
    """What one checkpoint gave, where the thesis' row mixes two."""

    def over(self, theirs: float | None) -> float | None:
        """Ours − theirs; None where either is not there."""
        return None if self.ours is None or theirs is None else self.ours - theirs


@dataclass(frozen=True)
class Cell:
    """A cell of a sweep on one data set; `values` by a metric's name in a record (`s2i_r1`)."""

    varies: Mapping[str, Any]
    seeds: int
    planned: int
    selection: float | None
    values: Mapping[str, Value]
    thesis_row: str
    quoted: bool

    @property
    def label(self) -> str:
        """E.g. `gamma=13`."""
        return cell_label(self.varies) or LONE

    @property
    def state(self) -> str:
        """`recorded`, `2 of 3 seeds` or `missing`."""
        if self.seeds == self.planned:
            return "recorded"
        return f"{self.seeds} of {self.planned} seeds" if self.seeds else "missing"

    @property
    def has_thesis(self) -> bool:
        """Whether the thesis has any value of it."""
        return any(value.thesis is not None for value in self.values.values())


@dataclass(frozen=True)
class Group:
    """The columns of one data set: its cells, and the trials and records that they come from."""

    name: str
    answer: Answer
    cells: Sequence[Cell]
    trials: Sequence[Trial]
    records: Mapping[str, Record]
    findings: "Findings | None" = None
    """What can be said of the differences; None where nothing is recorded."""

    @property
    def question(self) -> Question:
        """What was asked of the data set."""
        return self.answer.question

    def cell(self, label: str) -> Cell | None:
        """The cell of that label; None where this data set's plan has none (a refined stage)."""
        return next((cell for cell in self.cells if cell.label == label), None)

    def compared(self, label: str) -> "Compared | None":
        """What can be said of the cell of that label; None where that is nothing."""
        rows = self.findings.rows if self.findings else []
        return next((row for row in rows if row.label == label), None)

    def thesis_sum(self, label: str) -> float | None:
        """R@1 of that cell in the thesis, summed over both directions."""
        cell = self.cell(label)
        found = [cell.values[f"{direction}_r1"].thesis for direction in DIRECTIONS] if cell else []
        known = [value for value in found if value is not None]
        return sum(known) if len(known) == len(DIRECTIONS) else None

    def trials_of(self, label: str) -> list[Trial]:
        """The trials of a cell, a seed each."""
        return [trial for trial in self.trials if (trial.cell or LONE) == label]


@dataclass(frozen=True)
class Table:
    """A sweep asked of one or more data sets, with the same settings."""

    sweep: Sweep
    groups: Sequence[Group]

    @property
    def labels(self) -> list[str]:
        """All cells in order; levels of a number ascend."""
        cells = {cell.label: cell.varies for group in self.groups for cell in group.cells}
        return sorted(
            cells, key=lambda label: [v for v in cells[label].values() if isinstance(v, float)]
        )

    @property
    def has_thesis(self) -> bool:
        """Whether any thesis value stands beside ours."""
        return any(cell.has_thesis for group in self.groups for cell in group.cells)

    @property
    def baseline(self) -> str:
        """Label of the cell that the others are compared with: the thesis' own setting, else the
        first."""
        cells = {cell.label: cell.varies for group in self.groups for cell in group.cells}
        thesis = (label for label in self.labels if is_thesis_own(cells[label]))
        return next(thesis, self.labels[0])


def collect(questions: Sequence[Question], storage: Storage) -> Table:
    """The table of questions that differ in their data alone, from the records."""
    names = [question.dataset for question in questions]
    groups = [
        _group(question, storage, alone=names.count(question.dataset) == 1)
        for question in questions
    ]
    return Table(questions[0].sweep, groups)


def _group(question: Question, storage: Storage, *, alone: bool) -> Group:
    found = answer(question, storage)
    trials = question.plan(storage).trials
    keep = ("selection", "test", "dropped", "reports", "environment", "seconds")
    records = storage.records([trial.id for trial in trials], keep=keep)
    cells: dict[str, list[Trial]] = {}
    for trial in trials:
        cells.setdefault(trial.cell, []).append(trial)
    name = question.dataset if alone else f"{question.dataset} [{question.plan_id}]"
    return Group(
        name, found, [_cell(question, c, records) for c in cells.values()], trials, records,
        stated(question, storage) if records else None,
    )  # fmt: skip


def _cell(question: Question, trials: Sequence[Trial], found: Mapping[str, Record]) -> Cell:
    sweep, label = question.sweep, trials[0].cell or LONE
    row = sweep.rows.get(label, label)
    records = [found[trial.id] for trial in trials if trial.id in found]
    scores = [record["selection"]["value"] for record in records]
    known = [score for score in scores if score is not None]
    values = {
        f"{direction}_{metric.name}": _value(
            [record["test"][f"{direction}_{metric.name}"] for record in records],
            question, row, direction=direction, metric=metric.name,
        )
        for direction in DIRECTIONS
        for metric in every()
    }  # fmt: skip
    return Cell(
        varies=trials[0].varies,
        seeds=len(records),
        planned=len(trials),
        selection=fmean(known) if known else None,
        values=values,
        thesis_row=row if sweep.table else "",
        quoted=label in sweep.quoted,
    )


def _value(
    ours: Sequence[float], question: Question, row: str, *, direction: str, metric: str
) -> Value:
    place = {"dataset": question.dataset, "direction": direction, "metric": metric}
    table = question.sweep.table
    return Value(
        ours=fmean(ours) if ours else None,
        spread=stdev(ours) if len(ours) > 1 else None,
        thesis=value(table, row, **place) if table else None,
        single=value(*SINGLE_CHECKPOINT, **place) if row in _MIXED else None,
    )
