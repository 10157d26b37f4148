"""A sweep's pictures: of its baseline and its best trial, drawn once, when it ends."""

import click

from data_shards import files
from data_shards.cache_folder import cache_folder
from data_shards.manifest import Data
from orchestrator.answers import Answer, answer
from orchestrator.planning import Question
from orchestrator.storage import Storage
from trainables import weights as published

LAST = "gradcam.png"
"""Drawn last: where it is, all are."""


def draw_missing(question: Question, data: Data, storage: Storage, *, weights: str) -> None:
    """Draw what is not there of the two trials; a warning for one of which it cannot be done.

    The sweep's results stand already: nothing that goes wrong here may touch them.

    Args:
        weights: folder of published weights; "" for what the environment says.
    """
    if weights:
        published.use(weights)
    try:
        trial_ids = shown(answer(question, storage), storage)
        missing = [i for i in trial_ids if LAST not in files.names(storage.pictures_url(i))]
    except Exception as error:
        _warn("the sweep", error)
        return
    for trial_id in missing:
        try:
            _draw(trial_id, data, storage)
        except Exception as error:  # weights that were deleted or need a network, a full disk, …
            _warn(f"trial {trial_id}", error)


def shown(found: Answer, storage: Storage) -> list[str]:
    """Ids of the baseline, the plan's first trial, and of the first seed of the best cell, as far
    as they are recorded."""
    trials = found.question.plan(storage).trials
    best = [t for t in trials if found.best and t.varies == found.best.varies][:1]
    recorded = storage.record_ids()
    return [i for i in dict.fromkeys(t.id for t in [*trials[:1], *best]) if i in recorded]


def _draw(trial_id: str, data: Data, storage: Storage) -> None:
    from orchestrator.pictures import drawing  # captum and matplotlib: a second, and only here
    from orchestrator.pictures.subject import find_record, subject

    each = subject(storage, find_record(storage, trial_id), data.cached(cache_folder()))
    drawing.draw(each, storage.pictures_url(trial_id))


def _warn(what: str, error: Exception) -> None:
    reason = " ".join(str(error).split())[:300] or type(error).__name__
    click.echo(f"warning: no pictures of {what}: {reason}", err=True)
