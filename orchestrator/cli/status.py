"""`status`."""

import json
import time
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from data_shards import files
from data_shards.errors import DataError, UsageError
from orchestrator.cli import searches
from orchestrator.cli.options import json_option, own_sweep, storage_option

if TYPE_CHECKING:
    from orchestrator.cli.job_states import JobState
    from orchestrator.storage import Storage

REFRESH_SECONDS = 5.0
Found = tuple[dict[str, Any], list[str], bool]
"""The progress for machines and for people; whether nothing is left to do."""


@click.command()
@click.argument("name", required=False, callback=own_sweep)
@storage_option
@click.option("--watch", is_flag=True, help="Show it anew every few seconds, until all is done.")
@click.option("--address", help="A Ray head's dashboard: also the state of submitted jobs.  "
              "[$RAY_API_SERVER_ADDRESS or $RAY_ADDRESS, if it is http(s)://]")  # fmt: skip
@json_option
def status(name: str | None, storage: str, watch: bool, address: str | None, as_json: bool) -> None:
    """Show how far the sweep NAME is, or all of a storage, from any machine, at any time.

    The storage alone is read; the state of the job is asked of the Ray head only with its address.
    """
    from orchestrator.storage import Storage

    if watch and as_json:
        raise UsageError("--watch is for people, so that it cannot be with --json: give one.")
    store = Storage(storage)
    if as_json:
        values, _, _ = _found(name, store)
        jobs = _jobs(name, store, address)
        values |= {} if jobs is None else {"jobs": [vars(job) for job in jobs]}
        click.echo(json.dumps(values))
        return
    while not _show(name, store, address) and watch:
        time.sleep(REFRESH_SECONDS)
        click.clear()


def _show(name: str | None, store: "Storage", address: str | None) -> bool:
    """Print what there is; whether all of it is done."""
    _, lines, done = _found(name, store)
    click.echo("\n".join(lines))
    for job in _jobs(name, store, address) or []:
        click.echo(job.line)
    return done


def _found(name: str | None, store: "Storage") -> tuple[dict[str, Any], list[str], bool]:
    """The progress for machines and for people; whether nothing is left to do."""
    if name is None:
        return _all(store)
    if searches.is_search(name) or _is_tuning(name, store):
        return _studies(name, store)
    return _plans(name, store, whole=True)


def _is_tuning(name: str, store: "Storage") -> bool:
    """Whether the arms of a sweep are tuned first, and its plan is still to come."""
    planned = any(plan["sweep"] == name for plan in store.plans())
    return not planned and any(study["sweep"] == name for study in store.studies())


def _plans(name: str, store: "Storage", *, whole: bool) -> tuple[dict[str, Any], list[str], bool]:
    from orchestrator.planning import asked_before
    from orchestrator.status import plan_status
    from orchestrator.status_lines import lines, summary

    plans = [plan_status(question, store) for question in asked_before(name, store)]
    shown = [line for plan in plans for line in (lines if whole else summary)(plan)]
    return {"plans": [p.to_dict() for p in plans]}, shown, all(plan.is_done for plan in plans)


def _told(read: Callable[[str, "Storage"], Found], name: str, store: "Storage") -> Found:
    """What a sweep's books say; of one of the user's own, that only its file tells its plan."""
    try:
        return read(name, store)
    except UsageError as error:
        return {}, [f"{name}: {error}"], True


def _studies(name: str, store: "Storage") -> tuple[dict[str, Any], list[str], bool]:
    """A search is never done: more trials may be asked of it."""
    from orchestrator.search.question import searches_before
    from orchestrator.search.status import study_status

    found = [study_status(question, store) for question in searches_before(name, store)]
    shown = [line for lines, _ in found for line in lines]
    return {"studies": [values for _, values in found]}, shown, False


def _all(store: "Storage") -> tuple[dict[str, Any], list[str], bool]:
    """Every sweep and search of a storage, without their trials."""
    swept = sorted({plan["sweep"] for plan in store.plans()})
    searched = sorted({study["sweep"] for study in store.studies()})
    if not swept + searched:
        raise UsageError(
            f"a sweep must have been run, but {files.shown(store.url)!r} has none: run one, such "
            "as `python -m orchestrator sweep gamma`, or name its --storage."
        )
    found = [_told(partial(_plans, whole=False), name, store) for name in swept]
    found += [_told(_studies, name, store) for name in searched]
    values = {
        kind: [value for each, _, _ in found for value in each.get(kind, [])]
        for kind in ("plans", "studies")
    }
    return values, [line for _, lines, _ in found for line in lines], all(f[2] for f in found)


def _jobs(name: str | None, store: "Storage", address: str | None) -> "list[JobState] | None":
    """The jobs of these sweeps; None where no head is named.

    A head that only the environment names may be gone: the storage can be read all the same.
    """
    from orchestrator.cli.job_states import dashboard

    at = address or dashboard()
    if not at:
        return None
    try:
        return _asked_of(at, name, store)
    except (DataError, UsageError) as error:
        if address:
            raise
        click.echo(f"the state of its job is not known: {error}", err=True)
        return None


def _asked_of(address: str, name: str | None, store: "Storage") -> "list[JobState]":
    from orchestrator.cli.job_states import sweep_jobs

    try:
        from orchestrator import jobs
    except ImportError as error:
        raise UsageError(
            f"--address needs a package that is not installed ({error.name}): "
            "pip install 'vfsel-orchestrator[cluster]'"
        ) from error
    try:
        details = jobs.connect(address).list_jobs()
    except RuntimeError as error:  # Ray's word for any answer but 200
        raise DataError(f"the head at {address} does not list its jobs: {error}") from error
    return sweep_jobs(details, storage=store.url, name=name or "")
