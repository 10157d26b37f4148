"""Runs that MLflow shows as RUNNING though the command that began them is gone."""

from collections.abc import Iterator
from typing import Any

from data_shards import files
from data_shards.errors import UsageError
from orchestrator import lock, tracking_uri
from orchestrator.doctor.check import Asked, Check, error, ok, warning
from orchestrator.doctor.tracking import client
from orchestrator.storage import Storage
from orchestrator.sync import Sync


def checks(asked: Asked) -> Iterator[Check]:
    """Only of the storage's own plans: of others it cannot be known who works on them."""
    found = _running(asked)
    if not found:
        return
    holder = lock.look(asked.storage)
    if holder and holder.alive:
        yield ok("runs", f"{len(found)} are RUNNING, of {holder.text}")
    elif not asked.fix:
        names = ", ".join(run.info.run_name for run in found[:3])
        text = f"{len(found)} runs are RUNNING in MLflow, but no command is at work ({names})"
        yield warning("runs", text, "the same `sweep`, `sync`, or doctor --fix ends them")
    else:
        yield from _end(asked)


def _running(asked: Asked) -> list[Any]:
    """What is out of reach was said before, by `tracking`."""
    try:
        uri = tracking_uri.parse(asked.tracking_uri)
    except UsageError:
        return []
    plans = _plan_ids(asked.storage)
    if not plans or (uri.database and not uri.database.exists()):
        return []
    try:
        server = client(uri)
        where = [
            experiment.experiment_id
            for experiment in server.search_experiments(filter_string="name LIKE 'vfsel/%'")
        ]
        runs = _all(server, where) if where else []
    except Exception:
        return []
    return [run for run in runs if run.data.tags.get("vfsel.plan_id") in plans]


def _all(server: Any, experiments: list[str]) -> list[Any]:
    found, token = [], None
    while True:
        page = server.search_runs(
            experiments, "attributes.status = 'RUNNING'", max_results=1000, page_token=token
        )
        found += page
        token = page.token
        if not token:
            return found


def _plan_ids(storage: Storage) -> set[str]:
    """Of sweeps and of searches."""
    plans = files.names(files.join(storage.url, "plans"))
    return {name.removesuffix(".json") for name in plans} | set(
        files.names(files.join(storage.url, "studies"))
    )


def _end(asked: Asked) -> Iterator[Check]:
    """As `sync` does, which gives every run of the storage's plans its true state."""
    sync = Sync(asked.storage, asked.tracking_uri)
    yield from (ok("runs", f"ended, {shipped.text}") for shipped in sync.run())
    yield from (error("runs", problem) for problem in sync.errors)
