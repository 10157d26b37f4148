"""Which other sweeps want a plan's trials too: they are trained once."""

from collections.abc import Iterable, Mapping
from typing import Any

from data_shards.errors import UsageError
from data_shards.manifest import Data
from orchestrator.planning import Question, ask, asked_before
from orchestrator.storage import Storage
from search_spaces.search import Search
from search_spaces.sweep import load, names
from trainables.experiment import Experiment


def others(
    question: Question,
    data: Data,
    storage: Storage,
    *,
    preset: Experiment,
    asked: Mapping[str, Any],
) -> list[Question]:
    """The other built-in sweeps asked in the same way, where they can be, and those whose plans
    this storage holds.

    Args:
        asked: `settings`, `seeds` and `cache_limit` of this question.
    """
    found = []
    for sweep in map(load, names()):
        if sweep.name != question.sweep.name and not isinstance(sweep.design, Search):
            try:
                found.append(ask(sweep, preset=preset, data=data, **asked))
            except UsageError:  # it decides what is set here, or needs other data
                continue
    return found + _stored(question, storage)


def _stored(question: Question, storage: Storage) -> list[Question]:
    found = []
    for name in {plan["sweep"] for plan in storage.plans()} - {question.sweep.name}:
        try:
            found += asked_before(name, storage)
        except UsageError:  # one of somebody's own, whose file is not at hand
            continue
    return found


def shared(
    question: Question, storage: Storage, others: Iterable[Question]
) -> dict[str, list[str]]:
    """Trial id → the other sweeps that want it, by name; only trials that are shared."""
    wanted = {trial.id for trial in question.plan(storage).trials}
    found: dict[str, set[str]] = {}
    for other in others:
        for trial_id in wanted & {trial.id for trial in other.plan(storage).trials}:
            found.setdefault(trial_id, set()).add(other.sweep.name)
    return {trial_id: sorted(sweeps) for trial_id, sweeps in found.items()}
