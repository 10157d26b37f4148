"""`--tune-first`: each arm is searched with an equal budget on validation classes, then claimed.

The comparison that papers owe (Dodge et al. 2019, Show Your Work; Lucic et al. 2018): arms are
compared at settings that were sought equally hard for each. Tuning trains with a seed of its own,
writes no record and reads no test split; claims are trained in full, with other seeds.
"""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import click

from data_shards.errors import DataError, UsageError
from data_shards.manifest import Data
from orchestrator.planning import Question, Tuned
from orchestrator.search.answers import SearchAnswer
from orchestrator.search.question import (
    SearchQuestion,
    check_min_epochs,
    check_resources,
    default_min_epochs,
)
from orchestrator.search.run import search
from orchestrator.storage import Storage
from search_spaces.designs import Refine, Trial, format_value
from search_spaces.tuning import space_of
from trainables.experiment import Experiment

SEED = 1_000_000
"""Of all tuning: claims have the seeds from 0, and fewer than that."""


@dataclass(frozen=True)
class Budget:
    """What each arm is tuned with, the same for all."""

    trials: int
    sampler: str
    pruner: str
    min_epochs: int | None


def check_tunable(question: Question, *, min_epochs: int | None) -> None:
    """Whether the arms of a sweep can be tuned before they are compared.

    Raises:
        UsageError: they are not known beforehand, nothing is held out to tune on, or early
            stopping cannot begin there.
    """
    name, base = question.sweep.name, question.base
    if isinstance(question.sweep.design, Refine):
        raise UsageError(
            f"--tune-first needs arms that are known beforehand, but {name} refines a number: "
            "`sweep tune` searches it together with the others."
        )
    if base.selection != "val":
        raise UsageError(
            "--tune-first must choose on held-out classes (selection=val), never on the test "
            f"split, but got selection={base.selection}."
        )
    if question.seeds > SEED:
        raise UsageError(f"--seeds must be <= {SEED}, but got {question.seeds}.")
    check_min_epochs(min_epochs, epochs=base.epochs)


def tune_first(
    question: Question, data: Data, *, budget: Budget, storage_url: str, **how: Any
) -> Question:
    """Tune every arm, or go on with it; the question of the arms as they were tuned.

    Raises:
        UsageError: the storage cannot be written, or the number of trials a GPU is `auto`.
        DataError: no trial of an arm was trained to its last epoch.
    """
    check_resources(how["resources"])
    storage = Storage(storage_url)
    storage.check_writable()
    points: dict[str, Mapping[str, Any]] = {}
    studies: dict[str, str] = {}
    for cell, arm in arms_of(question, storage).items():
        asked = _search_of(question, arm, budget)
        name, points[cell], studies[cell] = cell or "VFSEL", {}, ""
        if asked.space:
            click.echo(f"tuning {name}: {', '.join(asked.space)}", err=True)
            found, _ = search(asked, data, storage, trials=budget.trials, seconds=None, **how)
            points[cell], studies[cell] = _best(found, name, budget), asked.study_id
            click.echo(f"tuned {name}: {_shown(points[cell])}", err=True)
    return dataclasses.replace(question, tuned=Tuned(points, studies, **dataclasses.asdict(budget)))


def arms_of(question: Question, storage: Storage) -> dict[str, Experiment]:
    """The cells of a sweep as they are before they are tuned, by label."""
    trials: list[Trial] = dataclasses.replace(question, tuned=None).plan(storage).trials
    return {trial.cell: trial.experiment for trial in reversed(trials)}


def _search_of(question: Question, arm: Experiment, budget: Budget) -> SearchQuestion:
    decided = question.sweep.design.fields
    return SearchQuestion(
        sweep=question.sweep,
        base=arm.replace(seed=SEED),
        space=space_of(arm, question.sweep.tuning, decided=decided),
        dataset=question.dataset,
        sampler=budget.sampler,
        pruner=budget.pruner,
        min_epochs=budget.min_epochs or default_min_epochs(arm.epochs),
    )


def _best(found: SearchAnswer, arm: str, budget: Budget) -> Mapping[str, Any]:
    """Of the arm's first trials: an earlier command may have given this arm more than others."""
    found = dataclasses.replace(found, books=found.books[: budget.trials])
    if found.best is None:
        raise DataError(
            f"an arm must have a trial that was trained to its end, but {arm} has none "
            f"of {len(found.books)}: see why they failed, or give more --trials."
        )
    return found.best.params


def _shown(point: Mapping[str, Any]) -> str:
    return " ".join(f"{name}={format_value(value)}" for name, value in point.items())
