"""A sweep's pictures: of its baseline and its best trial, drawn once, when it ends."""

import click

from data_shards import files
from data_shards.cache_folder import cache_folder
from data_shards.manifest import Data
from orchestrator.answers import Answer, answer
from orchestrator.first_import import FIRST_IMPORT
from orchestrator.planning import Question
from orchestrator.storage import Storage
from search_spaces.designs import is_thesis_own
from trainables import weights as published

LAST = "gradcam.png"
"""Drawn last: where it is, all are."""
SIDE_BY_SIDE = "gradcam_side_by_side.png"
"""Of all cells, among the baseline's pictures."""


def draw_missing(question: Question, data: Data, storage: Storage, *, weights: str) -> None:
    """Draw what is not there of the two trials; a warning for one of which it cannot be done.

    The sweep's results stand already: nothing that goes wrong here may touch them.

    Args:
        weights: folder of published weights; "" for what the environment says.
    """
    if question.base.trainable:
        click.echo(f"no pictures: they are of VFSEL, and this is {question.base.model}", err=True)
        return
    if weights:
        published.use(weights)
    try:
        found = answer(question, storage)
        trial_ids = shown(found, storage)
        missing = [i for i in trial_ids if LAST not in files.names(storage.pictures_url(i))]
    except Exception as error:
        _warn("the sweep", error)
        return
    for trial_id in missing:
        try:
            _draw(trial_id, data, storage)
        except Exception as error:  # weights that were deleted or need a network, a full disk, …
            _warn(f"trial {trial_id}", error)
    if question.sweep.side_by_side and trial_ids:
        try:
            _draw_side_by_side(found, data, storage)
        except Exception as error:
            _warn("all cells side by side", error)


def shown(found: Answer, storage: Storage) -> list[str]:
    """Ids of the first seeds of the baseline and of the best cell, as far as they are recorded."""
    trials = found.question.plan(storage).trials
    baseline = next((t for t in trials if is_thesis_own(t.varies)), trials[0])
    best = [t for t in trials if found.best and t.varies == found.best.varies][:1]
    recorded = storage.record_ids()
    return [i for i in dict.fromkeys(t.id for t in [baseline, *best]) if i in recorded]


def _draw_side_by_side(found: Answer, data: Data, storage: Storage) -> None:
    """Grad-CAMs of all cells in one picture, beside the baseline's others, once all are there."""
    with FIRST_IMPORT:
        from orchestrator.pictures import drawing
        from orchestrator.pictures.subject import find_record, subject

    question = found.question
    first = {t.cell: t.id for t in reversed(question.plan(storage).trials)}
    folder = storage.pictures_url(shown(found, storage)[0])
    if any(not row.seeds for row in found.rows) or SIDE_BY_SIDE in files.names(folder):
        return
    packed = data.cached(cache_folder())
    cells = [subject(storage, find_record(storage, first[row.label]), packed) for row in found.rows]
    drawing.compare(cells, folder, name=SIDE_BY_SIDE)


def _draw(trial_id: str, data: Data, storage: Storage) -> None:
    with FIRST_IMPORT:
        from orchestrator.pictures import drawing  # captum and matplotlib: a second, and only here
        from orchestrator.pictures.subject import find_record, subject

    each = subject(storage, find_record(storage, trial_id), data.cached(cache_folder()))
    drawing.draw(each, storage.pictures_url(trial_id))


def _warn(what: str, error: Exception) -> None:
    reason = " ".join(str(error).split())[:300] or type(error).__name__
    click.echo(f"warning: no pictures of {what}: {reason}", err=True)
