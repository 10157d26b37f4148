"""A sweep's report as Markdown, LaTeX, CSV and one HTML page, from the records alone."""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

from data_shards import files
from orchestrator.planning import Question
from orchestrator.report.contents import document
from orchestrator.report.drawing import Picture
from orchestrator.report.latex import latex
from orchestrator.report.markdown import markdown
from orchestrator.report.page import page
from orchestrator.report.sound import Sound
from orchestrator.report.spreadsheet import cells_csv, comparison_csv, trials_csv
from orchestrator.report.table import collect

_OF_THE_DATA = ("data", "features")
"""Fields in which the bases of one question asked of several data sets differ: which data, and
whether their features fit the cache."""


def report_id(question: Question) -> str:
    """12 hex digits: the sweep and its base without the data, so that more data sets join it."""
    own = {k: v for k, v in question.base.differing().items() if k not in _OF_THE_DATA}
    tuned = question.tuned  # the points are the data's
    how = [[tuned.trials, tuned.sampler, tuned.pruner, tuned.min_epochs]] if tuned else []
    text = json.dumps([question.sweep.name, own, *how], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def together(questions: Sequence[Question]) -> list[list[Question]]:
    """Those that differ in their data alone, each to be one report."""
    found: dict[str, list[Question]] = {}
    for question in sorted(questions, key=lambda q: (q.dataset, q.plan_id)):
        found.setdefault(report_id(question), []).append(question)
    return list(found.values())


def write(questions: Sequence[Question], storage: Sound, out: Path) -> list[Path]:
    """Write `<sweep>-<report_id>` as `.html`, `.md`, `.tex`, `.csv` (a line a value),
    `-comparison.csv` (a line a cell against the baseline), `-trials.csv` (a line a trial), and the
    pictures that the Markdown links to.

    Args:
        questions: a sweep asked of several data sets with the same settings.
        storage: what is damaged in it is left out, which the report says.

    Returns:
        The files written.
    """
    table = collect(questions, storage)
    report = document(table, storage, storage.damaged)
    stem = f"{table.sweep.name}-{report_id(questions[0])}"

    def named(picture: Picture) -> str:
        return f"{stem}-{picture.name}.png"

    contents = {
        f"{stem}.html": page(report).encode(),
        f"{stem}.md": markdown(report, named).encode(),
        f"{stem}.tex": latex(report, stem).encode(),
        f"{stem}.csv": cells_csv(table).encode(),
        f"{stem}-comparison.csv": comparison_csv(table).encode(),
        f"{stem}-trials.csv": trials_csv(table).encode(),
    } | {named(picture): picture.content for picture in report.pictures}
    for name, content in contents.items():
        files.write_atomic(out / name, content)
    return [out / name for name in contents]
