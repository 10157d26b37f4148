"""How far a search is, from its books and reports alone: no Ray, from anywhere."""

import time
from typing import Any

from orchestrator.search.answers import SearchAnswer, as_dict, saving, sentence
from orchestrator.search.question import SearchQuestion
from orchestrator.search.study import RUNNING, entries
from orchestrator.status import TrialStatus, trial_status
from orchestrator.storage import Storage
from search_spaces.designs import Trial


def unfinished(found: SearchAnswer, storage: Storage) -> list[TrialStatus]:
    """The trials that have not ended, as their reports show them at this moment."""
    open_trials = [
        Trial(found.question.experiment(entry.params), entry.params)
        for entry in found.books
        if entry.state == RUNNING
    ]
    now = time.time()
    return [trial_status(trial, storage.reports(trial.id), now=now) for trial in open_trials]


def study_status(question: SearchQuestion, storage: Storage) -> tuple[list[str], dict[str, Any]]:
    """The progress of a search: lines for people, and plain values for machines."""
    found = SearchAnswer(question, entries(question, storage))
    under_way = unfinished(found, storage)
    shown = [
        f"study {question.study_id}: data {question.dataset} {question.base.data}, sampler "
        f"{question.sampler}, early stopping {question.pruner}",
        *(f"{trial.id}  {trial.progress:40} {trial.name}" for trial in under_way),
        sentence(found),
        saving(found),
    ]
    return shown, as_dict(found) | {"unfinished": [trial.to_dict() for trial in under_way]}
