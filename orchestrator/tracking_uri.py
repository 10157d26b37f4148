"""Where MLflow keeps its runs: an SQLite file or a server. Checked at once; imports no MLflow."""

import io
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from data_shards.errors import UsageError

DEFAULT = "sqlite:///mlflow.db"
RULE = "--tracking-uri must be sqlite:///FILE, http://HOST:PORT or https://HOST:PORT"
_SQLITE = "sqlite:///"
_MAGIC = b"SQLite format 3\0"


@dataclass(frozen=True)
class TrackingUri:
    """A checked tracking URI."""

    text: str
    """What MLflow gets; the path of an SQLite file is absolute."""
    shown: str
    """What people may see: without user and password."""
    secret: str = ""
    """`user:password`, never to be printed."""
    database: Path | None = None
    """The SQLite file; None for a server."""

    @property
    def artifacts(self) -> str | None:
        """Folder of the artifacts, beside the SQLite file; None: the server decides."""
        return str(self.database.with_name("mlartifacts")) if self.database else None


def parse(uri: str) -> TrackingUri:
    """Check a tracking URI; nothing is opened or asked.

    Raises:
        UsageError: it is none of the allowed forms, or names a file that is no SQLite database.
    """
    if uri.startswith(_SQLITE):
        return _sqlite(uri)
    if uri.startswith(("http://", "https://")):
        return _server(uri)
    raise UsageError(f"{RULE}, but got {redact(uri)!r}.")


def redact(uri: str) -> str:
    """The URI without `user:password@` and without its query, where tokens hide too."""
    scheme, slashes, rest = uri.partition("?")[0].rpartition("://")
    return f"{scheme}{slashes}{rest.rpartition('@')[2]}"


def _sqlite(uri: str) -> TrackingUri:
    name = uri.removeprefix(_SQLITE)
    if not name or name == ":memory:" or "?" in name:
        raise UsageError(f"{RULE}, but {uri!r} names no file.")
    path = Path(name).absolute()
    folder = next(parent for parent in path.parents if parent.exists())
    if not folder.is_dir() or path.is_dir():
        raise UsageError(f"{RULE}, but {uri!r} cannot be a file.")
    with path.open("rb") if path.exists() else io.BytesIO() as stream:
        start = stream.read(len(_MAGIC))
    if start not in (b"", _MAGIC):
        raise UsageError(
            f"--tracking-uri must name an SQLite database, but {name} is another file."
        )
    return TrackingUri(f"{_SQLITE}{path}", uri, database=path)


def _server(uri: str) -> TrackingUri:
    try:
        parts = urlsplit(uri)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise UsageError(f"{RULE}, but got {redact(uri)!r}: {error}.") from error
    if not host or parts.query or parts.fragment or any(c.isspace() for c in uri):
        raise UsageError(f"{RULE}, but got {redact(uri)!r}.")
    secret = parts.netloc.rpartition("@")[0]
    return TrackingUri(uri.rstrip("/"), redact(uri), secret)
