"""`sweep tune` end to end: open the books, search with everyone watching, answer."""

import json
from typing import Any

import click
from rich.console import Console

from data_shards import files
from data_shards.manifest import Data
from orchestrator.failures import Failure
from orchestrator.lock import held
from orchestrator.resources import Resources
from orchestrator.search import samplers
from orchestrator.search.answers import SearchAnswer, as_dict, claim_command, saving, sentence
from orchestrator.search.mending import mend
from orchestrator.search.question import SearchQuestion, check_resources
from orchestrator.search.runner import SearchRunner
from orchestrator.search.study import RUNNING, Study
from orchestrator.search.watching import StudyTable, StudyTracking
from orchestrator.storage import Storage
from orchestrator.tracking import PlanInfo, Tracker
from orchestrator.ui import ui_command


def run_search(
    question: SearchQuestion,
    data: Data,
    *,
    storage_url: str,
    trials: int,
    as_json: bool,
    **how: Any,
) -> int:
    """Search until the study has so many trials or the time is up; track it, print the answer.

    Returns:
        Exit code: 0, or 1 if no trial was trained to its last epoch.

    Raises:
        UsageError: the storage cannot be written, or holds another study under this name.
        DataError: another command is writing to the storage.
        KeyboardInterrupt: after the runs under way are marked KILLED.
    """
    check_resources(how["resources"])
    samplers.check_installed(question.sampler)
    storage = Storage(storage_url)
    with held(storage, command=f"sweep {question.sweep.name}"):
        found, shipped = search(question, data, storage, trials=trials, **how)
    if as_json:
        click.echo(json.dumps(as_dict(found)))
    else:
        shown_at = how["tracking_uri"] if shipped else ""
        _print(found, data, storage, shown_at, trials=trials)
    return 0 if found.best else 1


def search(
    question: SearchQuestion,
    data: Data,
    storage: Storage,
    *,
    trials: int,
    seconds: float | None,
    tracking_uri: str,
    resources: Resources,
    max_failures: int,
) -> tuple[SearchAnswer, bool]:
    """Search in a storage that this command holds; see `run_search`.

    Returns:
        The answer, and whether MLflow has all of it.
    """
    tracker = Tracker(uri=tracking_uri, storage=storage, plan=_info(question))
    mend(question, storage)
    if question.sweep.code:
        storage.write_trainable(question.sweep.code)
    study = Study(question, storage)
    watching = StudyTracking(tracker, study)
    failures: dict[str, Failure] = {}
    try:
        with StudyTable(Console(stderr=True), study, trials=trials) as table:
            SearchRunner(
                study,
                trials=trials,
                seconds=seconds,
                data=data,
                storage=storage,
                resources=resources,
                max_failures=max_failures,
                watchers=[table, watching],
                failures=failures,
            ).run()
    except BaseException as error:
        left = "KILLED" if isinstance(error, KeyboardInterrupt) else "FAILED"
        watching.finish(failures, parent=left)
        raise
    found = SearchAnswer(question, study.books)
    shipped = watching.finish(failures, parent="" if found.best else "FAILED")
    return found, shipped


def _info(question: SearchQuestion) -> PlanInfo:
    return PlanInfo(
        sweep=question.sweep.name,
        question=question.sweep.question,
        plan_id=question.study_id,
        base=question.base,
        dataset=question.dataset,
        data_hash=question.base.data,
    )


def _print(
    found: SearchAnswer, data: Data, storage: Storage, shown_at: str, *, trials: int
) -> None:
    click.echo(f"\n{found.question.sweep.question}\n{saving(found)}")
    for entry in found.books:
        if entry.reason:
            click.echo(f"failed: trial {entry.number}: {entry.reason}", err=True)
    if len(found.books) < trials or found.counts[RUNNING]:
        click.echo(f"The time is up before {trials} trials have ended; the same command goes on.")
    click.echo(f"\n{sentence(found)}")
    if found.best:
        click.echo("That score is the best of many and flatters. Measure it on the test classes:")
        at = {"data": files.shown(str(data.folder)), "storage": files.shown(storage.url)}
        click.echo(f"  {claim_command(found, **at)}")
    click.echo(
        f"study:   {files.shown(files.join(storage.url, 'studies', found.question.study_id))}"
    )
    if shown_at:
        click.echo(f"pages:   {ui_command(shown_at)}")
