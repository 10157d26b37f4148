"""Sweeps as Ray jobs: the head checked, the code shipped, the logs followed.

Ray's `ray job submit` does the same; this says what is wrong in one line and before anything is
shipped. A token is never read here: Ray's client takes it from its own settings.
"""

import asyncio
import ipaddress
import json
import logging
import os
import secrets
import shlex
import sys
import urllib.error
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import ray
from ray.dashboard.modules.dashboard_sdk import parse_runtime_env_args
from ray.exceptions import AuthenticationError
from ray.job_submission import JobStatus, JobSubmissionClient

from data_shards import files
from data_shards.errors import DataError, UsageError
from orchestrator.version import CODE, code_version

ADDRESS = "http://127.0.0.1:8265"
VARIABLES = ("RAY_API_SERVER_ADDRESS", "RAY_ADDRESS")  # Ray's order
SECONDS = 20.0  # to answer a small question
STOPPED = 130  # as the sweep itself ends when it is interrupted
_HOW = (
    "set RAY_AUTH_MODE=token, and the head's token by RAY_AUTH_TOKEN, RAY_AUTH_TOKEN_PATH or "
    "~/.ray/auth_token"
)


@dataclass(frozen=True)
class Job:
    """A submitted job."""

    client: Any
    id: str

    def state(self) -> int | None:
        """Its exit code: 0, 1, 2 as of the sweep, 130 if it was stopped; None while it runs."""
        try:
            info = self.client.get_job_info(self.id)
        except RuntimeError as error:  # Ray's word for any answer but 200
            raise ConnectionError(str(error).splitlines()[0]) from error
        if not info.status.is_terminal():
            return None
        if info.status == JobStatus.FAILED:
            return info.driver_exit_code or 1
        return STOPPED if info.status == JobStatus.STOPPED else 0

    def follow(self) -> None:
        """Print its logs until it ends.

        Raises:
            OSError: the connection is lost; the job goes on.
        """
        asyncio.run(self._follow())

    async def _follow(self) -> None:
        try:
            async for text in self.client.tail_job_logs(self.id):
                sys.stdout.write(text)
                sys.stdout.flush()
        except RuntimeError as error:  # Ray's word for a connection that closed
            raise ConnectionError(str(error)) from error


def default_address() -> str:
    """Where the head's dashboard is: as Ray's settings say, else on this machine."""
    return next((os.environ[name] for name in VARIABLES if os.environ.get(name)), ADDRESS)


def checkout() -> Path:
    """The folder that a job gets: this project's checkout.

    Raises:
        UsageError: the package is installed without one.
    """
    root = Path(__file__).parent.parent
    if (root / "pyproject.toml").is_file() and (root / "deploy" / "runtime_env.yaml").is_file():
        return root
    raise UsageError(
        "submit ships a checkout of this project, but it is installed without one: clone it and "
        "install that with `pip install --editable '.[cluster]'`."
    )


def connect(address: str) -> Any:
    """Ray's client for the head at an address, once everything fits.

    Raises:
        UsageError: no address of a dashboard; a token that is missing or wrong; another Ray.
        DataError: nobody answers there, or somebody else.
    """
    address = _checked(address)
    _warn_clear_text(address)
    version = _version_unasked(address)
    if version is None:
        client = _client(address)
        version = str(client._server_ray_version)  # what its own check at the start was told
        _check_version(address, version)
        return client
    _check_version(address, version)
    return _client(address)


def _checked(address: str) -> str:
    """The address without its last slash."""
    parts = urlsplit(address)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise UsageError(
            "--address must be that of the head's dashboard, such as "
            f"{ADDRESS}, but got {files.shown(address)!r}."
        )
    if "@" in parts.netloc or parts.query:
        raise UsageError(
            f"--address must hold no password or query, but {files.shown(address)!r} came with "
            f"one: {_HOW}."
        )
    return address.rstrip("/")


def _warn_clear_text(address: str) -> None:
    """Many clusters are a private network, so this is said, not refused."""
    parts = urlsplit(address)
    token = os.environ.get("RAY_AUTH_MODE", "").lower() == "token"
    if parts.scheme == "http" and token and not _is_loopback(str(parts.hostname)):
        print(
            f"warning: the token goes to {parts.hostname} in clear text; outside a private "
            "network use https, or `ssh -L 8265:127.0.0.1:8265 HEAD` and no --address.",
            file=sys.stderr,
        )


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _version_unasked(address: str) -> str | None:
    """The head's Ray version; None if it wants a token first. None is sent yet: nobody knows who
    listens there."""
    try:
        with urllib.request.urlopen(f"{address}/api/version", timeout=SECONDS) as answer:  # noqa: S310
            return str(json.loads(answer.read())["ray_version"])
    except urllib.error.HTTPError as error:
        if error.code == 401:
            return None
        raise _no_head(address, f"{error.code} {error.reason}") from error
    except (ValueError, KeyError, TypeError) as error:
        raise _no_head(address, "no version of Ray") from error
    except OSError as error:
        reason = getattr(error, "reason", error)
        raise DataError(
            f"a Ray head must run at {address}, but nobody answers there "
            f"({getattr(reason, 'strerror', None) or reason}): start one, or give its --address."
        ) from error


def _no_head(address: str, answer: str) -> DataError:
    return DataError(
        f"a Ray head's dashboard must be at {address}, but what is there answers {answer}: give "
        "its --address."
    )


def _client(address: str) -> Any:
    logging.disable(logging.WARNING)  # Ray has a line for every folder of the checkout
    os.environ[VARIABLES[0]] = address  # Ray would prefer what stands there to its argument
    try:
        return JobSubmissionClient(address)
    except AuthenticationError as error:
        raise UsageError(_reason(address, str(error))) from None  # Ray's text is three paragraphs
    except (RuntimeError, ConnectionError) as error:
        raise DataError(str(error).splitlines()[0]) from error


def _reason(address: str, text: str) -> str:
    wrong = "Invalid authentication token" in text
    return (
        f"the head at {address} wants a token, but this one is not its own: {_HOW}."
        if wrong
        else f"the head at {address} wants a token, but got none: {_HOW}."
    )


def _check_version(address: str, version: str) -> None:
    if version != ray.__version__:
        raise UsageError(
            f"both sides must have the same Ray, but the head at {address} has {version} and this "
            f"side {ray.__version__}: run `pip install 'ray[default,tune]=={version}'` here, or "
            "that of constraints.txt on every node."
        )


def new_id() -> str:
    """A job's id, in the form of Ray's own; chosen here, so that it is known whatever happens."""
    return f"raysubmit_{secrets.token_hex(8)}"


def submit(client: Any, arguments: Sequence[str], job_id: str) -> Job:
    """Ship the checkout and start `python -m orchestrator sweep` with these arguments there."""
    root = checkout()
    runtime_env = parse_runtime_env_args(
        runtime_env=str(root / "deploy" / "runtime_env.yaml"), working_dir=str(root)
    )
    runtime_env["env_vars"][CODE] = code_version()  # .git stays here
    entrypoint = shlex.join(["python", "-m", "orchestrator", "sweep", *arguments])
    try:
        client.submit_job(entrypoint=entrypoint, runtime_env=runtime_env, submission_id=job_id)
    except RuntimeError as error:  # Ray's word for any answer but 200
        raise DataError(f"the head must take the job, but says: {_first_line(error)}") from error
    return Job(client, job_id)


def _first_line(error: Exception) -> str:
    said = next(iter(str(error).splitlines()), type(error).__name__)
    return f"{said.rstrip('.')}."


def how_to_return(job_id: str, address: str, *, name: str, storage: str) -> list[str]:
    """What to type to see the job again, and to stop it."""
    at = f"--address {shlex.quote(address)}"
    return [
        f"follow: ray job logs --follow {job_id} {at}",
        f"status: python -m orchestrator status {name} --storage {shlex.quote(storage)}",
        f"stop:   ray job stop {job_id} {at}",
    ]
