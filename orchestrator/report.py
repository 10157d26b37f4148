"""A sweep's table as CSV and Markdown, from the records alone."""

import csv
from collections.abc import Sequence
from pathlib import Path

from orchestrator.answers import DIRECTIONS, MAP50, Answer, Row, answer, plot_curve, sentence
from orchestrator.planning import Question
from orchestrator.storage import Storage
from search_spaces.designs import Refine
from trainables.experiment import Experiment

METRICS = ("r1", "r5", "r10", "medr", *MAP50, "chance")


def write(question: Question, storage: Storage, out: Path) -> list[Path]:
    """Write `<sweep>-<plan_id>.csv` (a line a trial), `.md` (a row a cell) and, where one number
    varies, `.png`.

    Returns:
        The files written.
    """
    out.mkdir(parents=True, exist_ok=True)
    found = answer(question, storage)
    stem = out / f"{question.sweep.name}-{question.plan_id}"
    table, page = stem.with_suffix(".csv"), stem.with_suffix(".md")
    _write_csv(question, storage, table)
    text, written = markdown(found), [table, page]
    if isinstance(question.sweep.design, Refine) and found.best:
        picture = stem.with_suffix(".png")
        plot_curve(found, picture)
        text += f"\n![The curve]({picture.name})\n"
        written.append(picture)
    page.write_text(text)
    return written


def _write_csv(question: Question, storage: Storage, path: Path) -> None:
    names = [f"{direction}_{metric}" for direction in DIRECTIONS for metric in METRICS]
    varying = question.sweep.design.fields
    with path.open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(
            ["trial_id", *varying, "seed", "state", "epoch", "chosen_on", "selection", *names]
        )
        for trial in question.plan(storage).trials:
            record = storage.record(trial.id)
            start = [trial.id, *trial.varies.values(), trial.experiment.seed]
            if record is None:
                writer.writerow([*start, "missing"])
                continue
            chosen = record["selection"]
            test = [record["test"][name] for name in names]
            writer.writerow(
                [*start, "recorded", chosen["epoch"], chosen["split"], chosen["value"], *test]
            )


def markdown(found: Answer) -> str:
    """The page: question, answer, table. Values are test percent, means over recorded seeds."""
    base = found.question.base
    lines = [
        f"# {found.question.sweep.question}",
        "",
        f"{sentence(found)}",
        "",
        f"Asked and answered in the {found.question.sweep.source}.",
        "",
        f"Here: data {found.question.dataset} `{base.data}`; {_differing(base)}. Epoch and cell "
        f"are chosen on: {found.split}; `selection` is the sum of both R@1 there (at most 200).",
        "",
        "R@1 and the three mAP@50 in percent on the test split: `map50` divides by "
        "min(50, relevant), `map50_hits` by the hits in the top 50, `map50_thesis` is what the "
        "thesis' tables hold.",
        "",
        *_table(found.rows),
    ]
    if found.undecided:
        lines += ["", f"Still undecided: {found.undecided}."]
    return "\n".join(lines) + "\n"


def _differing(base: Experiment) -> str:
    """The fields that differ from the thesis' own setting."""
    own, thesis = base.flat(), Experiment().flat()
    names = [name for name in own if name != "data" and own[name] != thesis.get(name)]
    return ", ".join(f"{name}={own[name]}" for name in names) or "the thesis' own setting"


def _table(rows: Sequence[Row]) -> list[str]:
    metrics = ["r1", *MAP50, "chance"]
    columns = [f"{direction}_{metric}" for direction in DIRECTIONS for metric in metrics]
    head = ["cell", "seeds", "selection", *columns]
    lines = [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}"]
    for row in rows:
        cells = [row.label, f"{row.seeds}/{row.planned}", _number(row.selection)]
        cells += [_number(row.test.get(name)) for name in columns]
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def _number(value: float | None) -> str:
    return "missing" if value is None else f"{value:.2f}"
