"""The answer to a sweep, from its records alone: one row a cell, means over seeds, the best."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING, Any

from orchestrator.planning import Question
from orchestrator.storage import Record, Storage
from search_spaces.designs import Refine, Trial, cell_label

if TYPE_CHECKING:
    from matplotlib.axes import Axes

DIRECTIONS = {"s2i": "speech→image", "i2s": "image→speech"}
MAP50 = ("map50", "map50_hits", "map50_thesis")


@dataclass(frozen=True)
class Row:
    """One cell of a sweep: what varies, and means over its recorded seeds (percent)."""

    varies: Mapping[str, Any]
    seeds: int
    planned: int
    selection: float | None
    test: Mapping[str, float]
    selection_chance: float | None
    """Chance of the selection metric; None where it is not known."""
    dropped: int
    """Unreadable samples that the cell's trials left out."""
    alone: str = "VFSEL"
    """What a lone cell is called: the model."""

    @property
    def label(self) -> str:
        """E.g. `gamma=13`; the base itself has no varying field."""
        return cell_label(self.varies) or self.alone


@dataclass(frozen=True)
class Answer:
    """A sweep's rows in order, and the best one: the highest mean selection metric.

    `best` is None until at least one cell is recorded, or where nothing was held out to choose by
    (`selection=last`) and there are several cells.
    """

    question: Question
    rows: list[Row]
    best: Row | None
    undecided: str

    @property
    def oracle(self) -> bool:
        """The test split chose: the author's practice, to be labelled so."""
        return self.question.base.selection == "test"

    @property
    def split(self) -> str:
        """How the selection metric is to be called; the author's practice is an oracle."""
        return {"val": "validation", "test": "oracle (test)", "last": "–"}[
            self.question.base.selection
        ]


def answer(question: Question, storage: Storage) -> Answer:
    """Collect the records of a question's plan."""
    plan = question.plan(storage)
    cells: dict[tuple[Any, ...], list[Trial]] = {}
    for trial in plan.trials:
        cells.setdefault(tuple(trial.varies.values()), []).append(trial)
    records = storage.records(
        [trial.id for trial in plan.trials], keep=("selection", "test", "dropped")
    )
    rows = [_row(trials, records) for trials in cells.values()]
    rows.sort(key=lambda row: [v for v in row.varies.values() if isinstance(v, float)])
    return Answer(question, rows, _best(rows), plan.undecided)


def _row(trials: Sequence[Trial], found: Mapping[str, Record]) -> Row:
    records = [found[trial.id] for trial in trials if trial.id in found]
    scores = [r["selection"]["value"] for r in records]
    known = [score for score in scores if score is not None]
    return Row(
        varies=trials[0].varies,
        seeds=len(records),
        planned=len(trials),
        selection=fmean(known) if known else None,
        test=_means(records),
        selection_chance=next((r["selection"].get("chance") for r in records), None),
        dropped=sum(sum(record["dropped"].values()) for record in records),
        alone=trials[0].experiment.model if trials[0].experiment.trainable else "VFSEL",
    )


def _means(records: Sequence[Record]) -> dict[str, float]:
    if not records:
        return {}
    return {name: fmean(r["test"][name] for r in records) for name in records[0]["test"]}


def _best(rows: Sequence[Row]) -> Row | None:
    scored = [row for row in rows if row.selection is not None]
    whole = [row for row in scored if row.seeds == row.planned]  # fewer seeds are no fair rival
    scored = whole or scored
    if not scored:
        return rows[0] if len(rows) == 1 and rows[0].seeds else None
    return max(scored, key=lambda row: row.selection or 0.0)


def sentence(found: Answer) -> str:
    """The answer in one line, beside chance."""
    if found.best is None:
        return "No answer yet: no trial that could be chosen is recorded."
    test = found.best.test
    shares = [
        f"R@1 {name} {test[f'{key}_r1']:.1f} % ({test[f'{key}_r1'] / test[f'{key}_chance']:.1f}× "
        f"chance, {test[f'{key}_chance']:.1f} %)"
        for key, name in DIRECTIONS.items()
    ]
    chosen = f"best: {found.best.label}" if len(found.rows) > 1 else found.best.label
    oracle = " [oracle: chosen on the test split]" if found.oracle else ""
    return f"{chosen} — test {', '.join(shares)}{oracle}"


def as_dict(found: Answer) -> dict[str, Any]:
    """The answer for machines."""
    rows = [
        {"varies": dict(r.varies), "seeds": r.seeds, "planned": r.planned,
         "selection": r.selection, "test": dict(r.test)}
        for r in found.rows
    ]  # fmt: skip
    best = rows[found.rows.index(found.best)] if found.best else None
    return {
        "sweep": found.question.sweep.name,
        "dataset": found.question.dataset,
        "plan_id": found.question.plan_id,
        "selection": found.question.base.selection,
        "best": best,
        "rows": rows,
        "undecided": found.undecided,
    }


Bands = Mapping[str, Mapping[str, tuple[float, float]]]
"""Cell's label → metric → its interval (percent)."""


def plot_curve(found: Answer, path: Path, bands: Bands | None = None) -> None:
    """R@1 of both directions, and their sum, against the one number that varies (as Figures 5.1 and
    5.2), a PNG. Where `bands` has intervals (`s2i_r1`, `i2s_r1`, `r1_sum`), they are shaded."""
    from matplotlib.figure import Figure  # without pyplot: no display, no global state

    (name,) = found.question.sweep.design.fields
    rows = [row for row in found.rows if row.seeds]
    levels = [float(row.varies[name]) for row in rows]
    figure = Figure(figsize=(11, 4.5), layout="constrained")
    left, right = figure.subplots(1, 2)
    right.plot(levels, [row.selection for row in rows], "o-", color="black")
    right.set_title(f"Chosen by: sum of both R@1, {found.split}")
    right.set_ylabel("sum of two percentages (at most 200)")
    for (key, label), color in zip(DIRECTIONS.items(), ("C0", "C1"), strict=True):
        left.plot(levels, [row.test[f"{key}_r1"] for row in rows], "o-", label=label, color=color)
        left.axhline(rows[0].test[f"{key}_chance"], ls=":", color=color)
        _shade(left, rows, levels, bands or {}, name=f"{key}_r1", color=color)
    sums = [sum(row.test[f"{key}_r1"] for key in DIRECTIONS) for row in rows]
    left.plot(levels, sums, "s--", label="sum of both", color="C2")
    _shade(left, rows, levels, bands or {}, name="r1_sum", color="C2")
    left.set_title(f"R@1, test (dotted: chance{'; shaded: 95 % interval' if bands else ''})")
    left.set_ylabel("percent (sum: at most 200)")
    left.legend()
    for axes in (left, right):
        _scale(axes, name, found)
    question = found.question
    setting = f"{question.dataset}, {question.base.epochs} epochs, seeds: {question.seeds}"
    figure.suptitle(f"{question.sweep.question}  ({setting})")
    figure.savefig(path, dpi=120)


def _shade(
    axes: "Axes", rows: Sequence[Row], levels: Sequence[float], bands: Bands, *, name: str,
    color: str,
) -> None:  # fmt: skip
    pairs = zip(levels, rows, strict=True)
    known = [(x, *bands[r.label][name]) for x, r in pairs if name in bands.get(r.label, {})]
    if known:
        x, low, high = (list(column) for column in zip(*known, strict=True))
        axes.fill_between(x, low, high, color=color, alpha=0.15, lw=0)


def _scale(axes: "Axes", name: str, found: Answer) -> None:
    """A logarithmic axis labelled at the coarse levels, with the best level marked."""
    design = found.question.sweep.design
    assert isinstance(design, Refine)
    axes.set(xscale="log", xlabel=name)
    axes.set_ylim(bottom=0)
    axes.set_xticks(list(design.coarse), [f"{level:g}" for level in design.coarse])
    axes.minorticks_off()
    axes.grid(alpha=0.3)
    if found.best:
        axes.axvline(float(found.best.varies[name]), color="grey", lw=0.8)
        axes.annotate(
            f"best: {found.best.label}",
            (float(found.best.varies[name]), 0),
            xytext=(4, 6),
            textcoords="offset points",
        )
