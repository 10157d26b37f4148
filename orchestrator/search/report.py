"""A search's report as CSV, Markdown and pictures, from its books alone; and its export."""

import csv
from pathlib import Path

import optuna
from sqlalchemy.exc import SQLAlchemyError

from data_shards import files
from data_shards.errors import UsageError
from orchestrator.search import pictures
from orchestrator.search.answers import SearchAnswer, claim_command, saving, sentence
from orchestrator.search.question import SearchQuestion
from orchestrator.search.study import RUNNING, entries, frozen_study
from orchestrator.storage import Storage
from search_spaces.designs import format_value
from search_spaces.search import Range

_IMPORTANCE = (
    "Importance: share of the score's variance over the full trials (fANOVA); unknown below "
    f"{pictures.FEWEST} of them."
)


def write(question: SearchQuestion, storage: Storage, out: Path) -> list[Path]:
    """Write `<sweep>-<study_id>.csv` (a line a trial), `.md` and the pictures.

    Returns:
        The files written.
    """
    out.mkdir(parents=True, exist_ok=True)
    found = SearchAnswer(question, entries(question, storage))
    study = frozen_study(question, list(found.books))
    stem = out / f"{question.sweep.name}-{question.study_id}"
    table, page = out / f"{stem.name}.csv", out / f"{stem.name}.md"
    _write_csv(found, table)
    drawn = pictures.draw(study, stem)
    page.write_text(markdown(found, storage, pictures.importance(study), drawn))
    return [table, page, *drawn.values()]


def _write_csv(found: SearchAnswer, path: Path) -> None:
    names = list(found.question.space)
    with path.open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["number", "trial_id", *names, "state", "epochs", "selection", "reason"])
        for entry in found.books:
            trial_id = found.question.experiment(entry.params).trial_id
            point = [entry.params[name] for name in names]
            result = [entry.state, len(entry.values), entry.value, entry.reason]
            writer.writerow([entry.number, trial_id, *point, *result])


def markdown(
    found: SearchAnswer, storage: Storage, importance: dict[str, float], pictures: dict[str, Path]
) -> str:
    """The page: question, best point, what mattered, what early stopping saved, pictures."""
    question = found.question
    lines = [
        f"# {question.sweep.question}",
        "",
        sentence(found),
        "",
        f"Asked in the {question.sweep.source}.",
        "",
        f"Here: data {question.dataset} `{question.base.data}`, sampler {question.sampler}, early "
        f"stopping {question.pruner}, at most {question.base.epochs} epochs a trial, seed "
        f"{question.base.seed}. {saving(found)}.",
        "",
        "The score is the highest of many on the validation classes and flatters: it chooses, it "
        "does not claim.",
    ]
    if found.best:
        command = claim_command(found, data="DATA", storage=files.shown(storage.url))
        lines += ["", "To measure it on the test classes (`DATA`: where the data above are):"]
        lines += ["", f"    {command}"]
    lines += ["", *_fields(found, importance)]
    if pictures:
        lines += ["", "The pictures show full trials; `epochs` those stopped early too."]
    for name, path in pictures.items():
        lines += ["", f"![{name}]({path.name})"]
    return "\n".join(lines) + "\n"


def _fields(found: SearchAnswer, importance: dict[str, float]) -> list[str]:
    lines = ["| field | searched | best | importance |", "|---|---|---|---|"]
    for name, over in found.question.space.items():
        searched = (
            f"{over.low:g} to {over.high:g}, logarithmic"
            if isinstance(over, Range)
            else ", ".join(map(format_value, over))
        )
        best = format_value(found.best.params[name]) if found.best else "–"
        share = f"{importance[name]:.2f}" if name in importance else "unknown"
        lines.append(f"| {name} | {searched} | {best} | {share} |")
    return [*lines, "", _IMPORTANCE]


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
