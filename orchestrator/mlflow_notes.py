"""What MLflow's pages say of a sweep in words and tables: means over seeds, notes in Markdown.

Percent, but for what `headline` names otherwise; ± is the sample's standard deviation over seeds.
"""

import csv
import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import fmean, stdev

from orchestrator.answers import DIRECTIONS
from orchestrator.headline import headline
from orchestrator.storage import Record
from search_spaces.designs import Trial

BASE = "base"
"""Name of a lone cell, in which nothing varies."""


@dataclass(frozen=True)
class Cell:
    """The recorded seeds of one cell: mean and standard deviation of each test metric."""

    label: str
    seeds: int
    planned: int
    mean: Mapping[str, float] = field(default_factory=dict)
    sd: Mapping[str, float] = field(default_factory=dict)
    """Empty for fewer than two seeds."""

    def shown(self, metric: str) -> str:
        """E.g. `41.2 ± 0.8`."""
        spread = f" ± {self.sd[metric]:.1f}" if metric in self.sd else ""
        return f"{self.mean[metric]:.1f}{spread}" if metric in self.mean else ""


def cells(trials: Sequence[Trial], tests: Mapping[str, Mapping[str, float]]) -> list[Cell]:
    """The cells with a record, by what varies where that is a number, else in the plan's order.

    Args:
        tests: the test metrics of recorded trials, by trial id.
    """
    among: dict[str, list[Trial]] = {}
    for trial in sorted(trials, key=_numbers):
        among.setdefault(trial.cell or BASE, []).append(trial)
    found = [
        _cell(label, [tests[t.id] for t in own if t.id in tests], planned=len(own))
        for label, own in among.items()
    ]
    return [cell for cell in found if cell.seeds]


def _numbers(trial: Trial) -> list[float]:
    return [level for level in trial.varies.values() if isinstance(level, float)]


def _cell(label: str, tests: Sequence[Mapping[str, float]], *, planned: int) -> Cell:
    columns = {name: [test[name] for test in tests] for name in (tests[0] if tests else {})}
    mean = {name: fmean(column) for name, column in columns.items()}
    sd = {name: stdev(column) for name, column in columns.items() if len(column) > 1}
    return Cell(label, len(tests), planned, mean, sd)


def metrics(found: Sequence[Cell], dataset: str) -> dict[str, float]:
    """E.g. `gamma 13/test_s2i_r1_mean` and `…_sd`: the UI makes a group of what stands before `/`.

    MLflow takes no `=` in a name.
    """
    values = {}
    for cell in found:
        group = re.sub(r"[^\w.\- ]", "-", cell.label.replace("=", " "))
        for name in _columns([cell], dataset):
            values[f"{group}/test_{name}_mean"] = cell.mean[name]
            if name in cell.sd:
                values[f"{group}/test_{name}_sd"] = cell.sd[name]
    return values


def of_parent(question: str, found: Sequence[Cell], *, best: str, dataset: str) -> str:
    """The question, the answer and the table behind it."""
    if not found:
        return question
    columns = _columns(found, dataset)
    heads = ["", "seeds", *(_head(name, dataset) for name in columns)]
    rows = [
        [_bold(cell.label, best), f"{cell.seeds} of {cell.planned}", *map(cell.shown, columns)]
        for cell in found
    ]
    table = [heads, ["---", *["---:"] * (len(heads) - 1)], *rows]
    lines = "\n".join(f"| {' | '.join(row)} |" for row in table)
    answer = _answer(found, best, dataset)
    return f"**{question}** {answer}\n\n{lines}\n\nTest split, percent; mean ± sd over seeds."


def _answer(found: Sequence[Cell], best: str, dataset: str) -> str:
    """In one sentence: MLflow shows the first lines only, until one asks for more."""
    cell = next((cell for cell in found if cell.label == best), None)
    if cell is None or len(found) == 1:
        return ""
    shown = [f"{_head(name, dataset)} {cell.shown(name)}" for name in _columns([cell], dataset)[:2]]
    return f"Best by the selection metric: **{best}** ({', '.join(shown)})."


def of_child(trial: Trial, record: Record, *, question: str, parent: str) -> str:
    """What a trial is part of and what it found.

    Args:
        parent: the parent run's page, a link.
    """
    shown = [
        f"- R@1 {arrow}, test: **{record['test'][f'{key}_r1']:.1f} %**"
        for key, arrow in DIRECTIONS.items()
        if f"{key}_r1" in record["test"]
    ]
    oracle = ", oracle: chosen on the test split" if record["selection"]["split"] == "test" else ""
    chosen = f"- epoch {record['selection']['epoch']} of {len(record['reports'])}{oracle}"
    lines = "\n".join([*shown, chosen])
    return f"**{trial.name}** of [{question}]({parent})\n\n{lines}"


def as_csv(found: Sequence[Cell]) -> str:
    """Every test metric of every cell, in full."""
    names = list(found[0].mean)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["cell", "seeds", *(f"{n}_{kind}" for n in names for kind in ("mean", "sd"))])
    for cell in found:
        values = [side.get(name, "") for name in names for side in (cell.mean, cell.sd)]
        writer.writerow([cell.label, cell.seeds, *values])
    return text.getvalue()


def _columns(found: Sequence[Cell], dataset: str) -> list[str]:
    wanted = [f"{key}_{metric.name}" for metric in headline(dataset) for key in DIRECTIONS]
    return [name for name in wanted if all(name in cell.mean for cell in found)]


def _head(name: str, dataset: str) -> str:
    direction, _, metric = name.partition("_")
    return f"{next(m.head for m in headline(dataset) if m.name == metric)} {DIRECTIONS[direction]}"


def _bold(label: str, best: str) -> str:
    return f"**{label}**" if label == best else label
