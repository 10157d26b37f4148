"""MLflow: reachable, of our version, and writable; nothing is left there."""

import os
import re
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from data_shards.errors import UsageError
from orchestrator import tracking_uri
from orchestrator.doctor.check import Asked, Check, error, ok, warning
from orchestrator.doctor.disk import existing, room
from orchestrator.mlflow_client import check_unlocked, quieten
from orchestrator.tracking_errors import said
from orchestrator.tracking_uri import TrackingUri

SECONDS = "5"  # of patience for an answer
TAG = "vfsel.doctor"
_NETWORK = {"nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "lustre", "beegfs", "fuse.sshfs"}
_MOUNTS = Path("/proc/self/mounts")


def checks(asked: Asked) -> Iterator[Check]:
    """The file or the server, then a tag that is set and taken away again."""
    try:
        uri = tracking_uri.parse(asked.tracking_uri)
    except UsageError as problem:
        yield error("mlflow", str(problem))
        return
    yield from _file(uri.database) if uri.database else _server(uri)
    if uri.database is None or uri.database.exists():
        yield _tagged(uri)


def client(uri: TrackingUri) -> Any:
    """MLflow's client, which gives up soon.

    Raises:
        sqlite3.OperationalError: another process has locked the SQLite file.
    """
    check_unlocked(uri.database)
    return _quiet_mlflow().MlflowClient(tracking_uri=uri.text)


def _file(database: Path) -> Iterator[Check]:
    yield from room("disk of mlflow", database.parent)
    place = existing(database)
    kind = file_system(place)
    if kind in _NETWORK:
        text = f"{database} lies on {kind}, whose locks SQLite cannot trust"
        yield warning("mlflow", text, "use a local disk, or a server (deploy/mlflow.md)")
    if not database.exists():
        if os.access(place, os.W_OK):
            yield ok("mlflow", f"{database} is made by the first sweep")
        else:
            yield error("mlflow", f"{place} cannot be written", "give another --tracking-uri")


def file_system(path: Path) -> str:
    """Type of the file system that a path is on; "" if unknown."""
    if not _MOUNTS.exists():
        return ""
    mounts = [line.split()[1:3] for line in _MOUNTS.read_text().splitlines()]
    above = {str(folder) for folder in (path, *path.parents)}
    return max(((at, kind) for at, kind in mounts if at in above), default=("", ""), key=_length)[1]


def _length(mount: tuple[str, str]) -> int:
    return len(mount[0])


def _server(uri: TrackingUri) -> Iterator[Check]:
    """Its version; what is wrong with reaching it is said by the tag."""
    mlflow = _quiet_mlflow()
    from mlflow.utils.credentials import get_default_host_creds
    from mlflow.utils.rest_utils import http_request

    try:
        answer = http_request(
            get_default_host_creds(uri.text), "/version", "GET",
            max_retries=0, timeout=float(SECONDS), raise_on_status=False,
        )  # fmt: skip
    except Exception:
        return
    version = answer.text.strip()
    if answer.status_code == 200 and re.fullmatch(r"\d+[\w.]+", version):
        same = version.split(".")[:2] == mlflow.__version__.split(".")[:2]
        text = f"server {version}, this side {mlflow.__version__}"
        yield ok("mlflow", text) if same else warning("mlflow", text, "install the same on both")


def _quiet_mlflow() -> Any:
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", SECONDS)
    quieten()
    import mlflow  # not before it is told to be silent

    return mlflow


def _tagged(uri: TrackingUri) -> Check:
    try:
        server = client(uri)
        experiments = server.search_experiments(max_results=1)
        if not experiments:
            return warning("mlflow", f"{uri.shown} answers, but has no experiment to write to")
        where = experiments[0].experiment_id
        server.set_experiment_tag(where, TAG, "writable")
        server.delete_experiment_tag(where, TAG)
    except Exception as problem:  # a server, a proxy, a database: each has its own
        return _refused(uri, problem)
    return ok("mlflow", f"{uri.shown} answers and is writable")


def _refused(uri: TrackingUri, problem: Exception) -> Check:
    if "Invalid Host header" in str(problem):
        name = urlsplit(uri.text).netloc.rpartition("@")[2]
        advice = f"start it with `mlflow server --allowed-hosts {name}` (and its other names)"
        return error("mlflow", f"{uri.shown} refuses the name {name} (403)", advice)
    if isinstance(problem, sqlite3.OperationalError):
        advice = "end the program that holds it, or see that the file can be written"
        return error("mlflow", f"{uri.shown}: {problem}", advice)
    advice = (
        "see that it runs and is reached from here; trials go on without it, `sync` ships later"
    )
    return error("mlflow", f"{uri.shown}: {said(problem, uri)}", advice)
