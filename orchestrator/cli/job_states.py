"""What a Ray head says of the sweeps that were submitted to it."""

import os
import shlex
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from orchestrator.cli.sweeps import sweep

_COMMAND = ["python", "-m", "orchestrator", "sweep"]


@dataclass(frozen=True)
class JobState:
    """A submitted sweep: `state` is Ray's word, such as RUNNING or SUCCEEDED."""

    id: str
    sweep: str
    state: str
    message: str

    @property
    def line(self) -> str:
        """For people; Ray's message is a paragraph."""
        said = f": {self.message.splitlines()[0]}" if self.message else ""
        return f"job {self.id}: {self.sweep}, {self.state}{said}"


def sweep_jobs(details: Iterable[Any], *, storage: str, name: str = "") -> list[JobState]:
    """The jobs that are sweeps into a storage, the latest last.

    Args:
        details: Ray's `JobDetails`.
        name: only those of this sweep; "" for all.
    """
    found = []
    for job in sorted(details, key=lambda job: job.start_time or 0):
        asked = _asked(job.entrypoint)
        if not asked or asked["storage"] != storage or name not in ("", asked["name"]):
            continue
        status, message = str(job.status.value), job.message or ""
        found.append(JobState(job.submission_id, asked["name"], status, message))
    return found


def _asked(entrypoint: str) -> dict[str, str]:
    """The sweep and the storage that a job's command line names; empty if it is no sweep.

    Only parsed: the callbacks of the options would load a sweep from a file that it names.
    """
    try:
        words = shlex.split(entrypoint)
        if words[: len(_COMMAND)] != _COMMAND:
            return {}
        parser = sweep.make_parser(click.Context(sweep))
        given, _, _ = parser.parse_args(words[len(_COMMAND) :])
    except (ValueError, click.ClickException):  # another version's, or typed by hand
        return {}
    if not isinstance(given["name"], str):  # click's mark of what is missing
        return {}
    storage = given.get("storage", "runs").rstrip("/")
    return {"name": Path(given["name"]).stem, "storage": storage}


def dashboard() -> str:
    """The address of a dashboard that Ray's settings name, if any: `HOST:6379` is another thing."""
    named = (os.environ.get(name, "") for name in ("RAY_API_SERVER_ADDRESS", "RAY_ADDRESS"))
    return next((address for address in named if address.startswith(("http://", "https://"))), "")
