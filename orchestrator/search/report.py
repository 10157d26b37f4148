"""A search's report as HTML, Markdown, LaTeX, CSV and pictures, and its export."""

import csv
import io
from pathlib import Path

import optuna
from sqlalchemy.exc import SQLAlchemyError

from data_shards import files
from data_shards.errors import UsageError
from orchestrator.report.drawing import Picture
from orchestrator.report.latex import latex
from orchestrator.report.markdown import markdown
from orchestrator.report.page import page
from orchestrator.search import pictures
from orchestrator.search.answers import SearchAnswer
from orchestrator.search.contents import document
from orchestrator.search.question import SearchQuestion
from orchestrator.search.study import RUNNING, entries, frozen_study
from orchestrator.storage import Storage


def write(question: SearchQuestion, storage: Storage, out: Path) -> list[Path]:
    """Write `<sweep>-<study_id>` as `.html`, `.md`, `.csv` (a line a trial), `.tex`, and the
    pictures that the Markdown links to.

    Returns:
        The files written.
    """
    found = SearchAnswer(question, entries(question, storage))
    study = frozen_study(question, list(found.books))
    report = document(found, storage, pictures.importance(study), pictures.draw(study))
    stem = f"{question.sweep.name}-{question.study_id}"

    def named(picture: Picture) -> str:
        return f"{stem}-{picture.name}.png"

    contents = {
        f"{stem}.csv": _csv(found).encode(),
        f"{stem}.html": page(report).encode(),
        f"{stem}.md": markdown(report, named).encode(),
        f"{stem}.tex": latex(report, stem).encode(),
    } | {named(picture): picture.content for picture in report.pictures}
    for name in pictures.NAMES:  # of an earlier report, which may not hold any more
        (out / f"{stem}-{name}.png").unlink(missing_ok=True)
    for name, content in contents.items():
        files.write_atomic(out / name, content)
    return [out / name for name in contents]


def _csv(found: SearchAnswer) -> str:
    names = list(found.question.space)
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(["number", "trial_id", *names, "state", "epochs", "selection", "reason"])
    for entry in found.books:
        trial_id = found.question.experiment(entry.params).trial_id
        point = [entry.params[name] for name in names]
        result = [entry.state, len(entry.values), entry.value, entry.reason]
        writer.writerow([entry.number, trial_id, *point, *result])
    return stream.getvalue()


def check_export(url: str) -> None:
    """Before anything is drawn.

    Raises:
        UsageError: not the URL of an SQLite file in a folder that is there.
    """
    file = Path(url.removeprefix("sqlite:///"))
    if not url.startswith("sqlite:///") or not file.name:
        raise UsageError(f"--export-study must be sqlite:///FILE, but got {url!r}.")
    if not file.parent.is_dir():
        raise UsageError(
            f"--export-study must lie in a folder, but {file.parent} is none: make it."
        )


def export(question: SearchQuestion, storage: Storage, url: str) -> str:
    """Copy the ended trials into an Optuna database, for `optuna-dashboard URL`.

    An earlier copy is replaced.

    Returns:
        The study's name there.

    Raises:
        UsageError: not the URL of an SQLite file that can be written.
    """
    check_export(url)
    name = f"{question.sweep.name}-{question.study_id}"
    books = [entry for entry in entries(question, storage) if entry.state != RUNNING]
    try:
        database = optuna.storages.RDBStorage(url)
        if name in optuna.get_all_study_names(database):
            optuna.delete_study(study_name=name, storage=database)
        study = optuna.create_study(storage=database, study_name=name, direction="maximize")
    except (optuna.exceptions.OptunaError, SQLAlchemyError) as error:
        raise UsageError(
            f"--export-study must name an SQLite file that can be written, but {url} is none "
            f"({str(error).splitlines()[0]})."
        ) from error
    study.add_trials(frozen_study(question, books).trials)
    return name
