"""Sweeps from Python, with the words of the command line: `run`, `results`."""

import io
import json
from collections.abc import Iterable, Mapping
from contextlib import redirect_stdout
from dataclasses import replace
from os import PathLike
from typing import Any, Literal, TypedDict, Unpack

import click
import pandas as pd

from data_shards.errors import DataError, UsageError, unknown
from orchestrator.cli import searches
from orchestrator.cli.sweeps import sweep
from orchestrator.planning import asked_before
from orchestrator.storage import Storage
from orchestrator.tidy import searched_rows, swept_rows
from search_spaces.designs import format_value
from search_spaces.sweep import load

_OWN = ("name", "as_json")  # not for the caller to give by keyword
Place = str | PathLike[str]


class Options(TypedDict, total=False):
    """What `sweep --help` lists, with its defaults; `data` and `settings` may be mappings."""

    storage: Place
    data: Place | Iterable[Place] | Mapping[str, Place]
    preset: str
    settings: Mapping[str, Any] | Iterable[str]
    seeds: int
    cache_limit: float
    trials: int | None
    time_budget: str | None
    sampler: str | None
    pruner: str | None
    min_epochs: int | None
    also: str | Iterable[str]
    seed: int | None
    study: str | None
    tune_first: bool
    budget: str | None
    probe: bool
    weights: Place
    tracking_uri: str
    cpus_per_trial: float
    gpus_per_trial: float | Literal["auto"]
    max_concurrent: int
    loader_workers: int
    checkpoint_every: int
    autoscale: bool
    max_failures: int


def run(name: str, **options: Unpack[Options]) -> pd.DataFrame:
    """Run what is missing of a sweep, and return what it found; progress goes to stderr.

    Called again it runs nothing that is recorded, as `python -m orchestrator sweep` does.

    Args:
        name: a sweep, as on the command line.
        options: those of `sweep`, with underscores; `--set` is `settings={"epochs": 6}`.

    Returns:
        A row a number, as `results` has them, of the plans that were asked for.

    Raises:
        UsageError: a wrong option, or a combination that cannot be.
        DataError: data or storage are not as they must be, or a trial has no record at the end;
            what others found is in `results`.
    """
    try:
        with sweep.make_context("run", [*_words(options), "--json", "--", name]) as context:
            asked = dict(context.params)
            with redirect_stdout(io.StringIO()) as answer:
                code = sweep.invoke(context)
    except click.ClickException as error:
        raise UsageError(error.format_message()) from None
    if code:
        raise DataError(
            f"every trial of {name} must have a record, but some have none (see above): the same "
            "call tries again, and orchestrator.results has the others."
        )
    found = json.loads(answer.getvalue().splitlines()[-1])
    answers = found if isinstance(found, list) else [found]
    storage = Storage(asked["storage"])
    return _frame(_rows(asked["name"], storage, answers, seeds=asked["seeds"]))


def results(name: str, storage: Place = "runs") -> pd.DataFrame:
    """What a sweep found so far in a storage, of all its plans; runs nothing, needs no data.

    Returns:
        A row a number. Which: `sweep`, `dataset`, `plan`, `trial` (ids), `cell` (what varies, as a
        label), a column for each field that varies, `seed`. What: `split` (`test`, or `val`, by
        which was chosen), `direction` (`s2i`: speech → image, `i2s`, or `both`), `metric`, `value`
        (percent; `medr` is a rank). A search also has `number` and `state`.

    Raises:
        UsageError: it was never run in this storage.
    """
    return _frame(_rows(load(name).name, Storage(str(storage))))


def _rows(
    name: str,
    storage: Storage,
    asked: Iterable[Mapping[str, Any]] | None = None,
    *,
    seeds: int | None = None,
) -> Iterable[dict[str, Any]]:
    """Of the plans or studies that were asked; None for all, with all their seeds."""
    if searches.is_search(name):
        from orchestrator.search.question import searches_before

        wanted = None if asked is None else {each["study_id"] for each in asked}
        for study in searches_before(name, storage):
            if wanted is None or study.study_id in wanted:
                yield from searched_rows(study, storage)
        return
    wanted = None if asked is None else {each["plan_id"] for each in asked}
    for question in asked_before(name, storage):
        if wanted is None or question.plan_id in wanted:
            yield from swept_rows(replace(question, seeds=seeds or question.seeds), storage)


def _frame(rows: Iterable[Mapping[str, Any]]) -> pd.DataFrame:
    return pd.DataFrame(list(rows))


def _words(options: Mapping[str, Any]) -> list[str]:
    """Keywords as the command line has them.

    Raises:
        UsageError: there is no such option.
    """
    known = {str(each.name): each for each in sweep.params if each.name not in _OWN}
    words = []
    for name, value in options.items():
        if name not in known:
            raise unknown("a keyword of run", name, sorted(known))
        option = known[name].opts[0]
        if value is True:
            words.append(option)
        elif value is not None and value is not False:
            words += [f"{option}={each}" for each in _values(value)]
    return words


def _values(value: Any) -> list[str]:
    """E.g. `{"epochs": 6}` → `["epochs=6"]`; anything but a mapping or a list is one value."""
    if isinstance(value, Mapping):
        return [f"{name}={_text(each)}" for name, each in value.items()]
    if isinstance(value, str | PathLike) or not isinstance(value, Iterable):
        return [_text(value)]
    return [_text(each) for each in value]


def _text(value: Any) -> str:
    return format_value(value) if isinstance(value, bool) else str(value)
