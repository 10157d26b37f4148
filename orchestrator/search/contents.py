"""What a search's report says, in its order."""

from collections.abc import Mapping, Sequence
from typing import Any

from data_shards import files
from orchestrator.report.document import Document, Section
from orchestrator.report.drawing import Picture
from orchestrator.report.grid import NOTHING, Grid, Head, Line, number
from orchestrator.report.reproducing import data_words, line, settings_words
from orchestrator.search.answers import SearchAnswer, claim_command, saving, sentence
from orchestrator.search.pictures import FEWEST
from orchestrator.search.question import SearchQuestion
from orchestrator.search.study import FAIL, Entry
from orchestrator.storage import Storage
from search_spaces.designs import format_value
from search_spaces.search import Range

FLATTERS = (
    "The score is the highest of many on the validation classes and flatters: it chooses, it does "
    "not claim."
)
_IMPORTANCE = (
    "Importance: share of the score's variance over the full trials (fANOVA); unknown below "
    f"{FEWEST} of them."
)


def document(
    found: SearchAnswer,
    storage: Storage,
    importance: Mapping[str, float],
    drawn: Sequence[Picture],
) -> Document:
    """The question, the best point, what mattered, what early stopping saved, every trial."""
    sections = [
        Section("What was searched", [_setting(found)], grids=[_fields(found, importance)]),
        _measuring(found, storage),
        Section("Pictures", pictures=drawn),
        Section("What failed", points=_failures(found)),
        Section("Every trial", grids=[_trials(found)]),
        Section("How it was run", commands=_commands(found, storage)),
    ]
    return Document(
        title=found.question.sweep.question,
        answers=[(found.question.dataset, sentence(found))],
        source=f"Asked in the {found.question.sweep.source}.",
        warnings=[FLATTERS],
        sections=[section for section in sections if section.says_something],
    )


def _setting(found: SearchAnswer) -> str:
    question = found.question
    return (
        f"Data {question.dataset} with the manifest {question.base.data}, sampler "
        f"{question.sampler}, early stopping {question.pruner}, at most {question.base.epochs} "
        f"epochs a trial, seed {question.base.seed}. {saving(found)}."
    )


def _fields(found: SearchAnswer, importance: Mapping[str, float]) -> Grid:
    heads = [Head(name=name) for name in ("searched", "best", "importance")]
    lines = [
        Line(name, [_searched(over), _best(found, name), _share(importance, name)])
        for name, over in found.question.space.items()
    ]
    return Grid("fields", "The fields.", heads, lines, [_IMPORTANCE], numeric=False)


def _searched(over: Range | Sequence[Any]) -> str:
    if isinstance(over, Range):
        return f"{over.low:g} to {over.high:g}, logarithmic"
    return ", ".join(map(format_value, over))


def _best(found: SearchAnswer, name: str) -> str:
    return format_value(found.best.params[name]) if found.best else NOTHING


def _share(importance: Mapping[str, float], name: str) -> str:
    return f"{importance[name]:.2f}" if name in importance else "unknown"


def _measuring(found: SearchAnswer, storage: Storage) -> Section:
    if found.best is None:
        return Section("")
    command = claim_command(found, data="DATA", storage=files.shown(storage.url))
    text = "On the test classes, with replicates (DATA: where the data above are):"
    return Section("How to measure what was found", [text], commands=[command])


def _failures(found: SearchAnswer) -> list[str]:
    failed = [entry for entry in found.books if entry.state == FAIL]
    return [f"Trial {entry.number} failed: {entry.reason or 'unknown'}." for entry in failed]


def _trials(found: SearchAnswer) -> Grid:
    names = list(found.question.space)
    heads = [Head(name=name) for name in (*names, "epochs", "R@1 sum, validation")]
    heads.append(Head(name="state", words=True))
    lines = [Line(str(entry.number), _texts(entry, names)) for entry in found.books]
    return Grid("trials", "Every trial, as it ended.", heads, lines, stub="trial")


def _texts(entry: Entry, names: Sequence[str]) -> list[str]:
    point = [format_value(entry.params[name]) for name in names]
    return [*point, str(len(entry.values)), number(entry.value), entry.state.lower()]


def _commands(found: SearchAnswer, storage: Storage) -> list[str]:
    """What makes these books, where the data set's name in capitals is its folder; and this."""
    question, at = found.question, ["--storage", files.shown(storage.url)]
    words = ["sweep", question.sweep.name, *data_words(question), *settings_words(question)]
    search = [*words, "--trials", str(len(found.books)), *_choices(question), *at]
    return [line(search), line(["report", question.sweep.name, *at])]


def _choices(question: SearchQuestion) -> list[str]:
    also = [name for name in question.space if name not in question.sweep.design.fields]
    chosen = {
        "--sampler": question.sampler,
        "--pruner": question.pruner,
        "--min-epochs": str(question.min_epochs),
        "--seed": str(question.base.seed),
    } | ({"--study": question.name} if question.name else {})
    pairs = [*chosen.items(), *(("--also", name) for name in also)]
    return [word for pair in pairs for word in pair]
