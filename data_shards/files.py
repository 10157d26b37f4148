"""Whole-file reads and atomic writes on paths and fsspec URIs (`/data`, `s3://bucket/x`)."""

import os
import tempfile
from pathlib import Path

import fsspec

from data_shards.errors import UsageError

SCHEMES = ("file", "http", "https", "s3", "gs", "memory")


def _filesystem(url: str) -> tuple[fsspec.AbstractFileSystem, str]:
    scheme = url.split("://", 1)[0] if "://" in url else "file"
    if scheme not in SCHEMES:
        raise UsageError(f"a location must be a path or one of {SCHEMES}, but got {url!r}.")
    try:
        filesystem, path = fsspec.core.url_to_fs(url)
    except ImportError as error:
        raise UsageError(f"{url!r} needs a package that is not installed: {error}") from error
    return filesystem, str(path)


def shown(url: str | Path) -> str:
    """A location as it may be printed or logged: without user, password and query."""
    text = str(url)
    if "://" not in text:
        return text
    scheme, rest = text.split("://", 1)
    return f"{scheme}://{rest.split('?')[0].rsplit('@', 1)[-1]}"


def join(url: str | Path, *names: str) -> str:
    """`url` with path parts appended."""
    return "/".join([str(url).rstrip("/"), *names])


def absolute(url: str | Path) -> str:
    """The same location for a process with another working folder; a URI stays as it is."""
    return str(url) if "://" in str(url) else str(Path(url).resolve())


def read_bytes(url: str | Path) -> bytes | None:
    """The file's content, or None if there is no such file."""
    filesystem, path = _filesystem(str(url))
    try:
        return bytes(filesystem.cat_file(path))
    except (FileNotFoundError, NotADirectoryError):
        return None


def write_atomic(url: str | Path, content: bytes) -> None:
    """Write a file so that a reader sees the old content or the new, never a part.

    Locally: write a temporary file beside it, fsync, rename, fsync the folder. On object stores a
    put is atomic by itself.
    """
    filesystem, path = _filesystem(str(url))
    if filesystem.protocol not in ("file", ("file", "local")):
        filesystem.pipe_file(path, content)
        return
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    try:
        with os.fdopen(handle, "wb") as stream:
            os.fchmod(handle, 0o666 & ~_umask())  # mkstemp's 0600 would shut others out
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        Path(temporary).replace(target)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    _fsync_folder(target.parent)


def _umask() -> int:
    """The process' file mode mask; it can only be read by setting it."""
    mask = os.umask(0o022)
    os.umask(mask)
    return mask


def _fsync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def names(url: str | Path) -> list[str]:
    """Names of the files in a folder, sorted; hidden ones (half-written) are left out."""
    filesystem, path = _filesystem(str(url))
    filesystem.invalidate_cache()  # object stores remember listings; other processes write
    try:
        entries = filesystem.ls(path, detail=False)
    except (FileNotFoundError, NotADirectoryError):
        return []
    found = (str(entry).rstrip("/").rsplit("/", 1)[-1] for entry in entries)
    return sorted(name for name in found if not name.startswith("."))


def remove(url: str | Path) -> None:
    """Delete a file; nothing happens if it is not there."""
    filesystem, path = _filesystem(str(url))
    filesystem.invalidate_cache()
    if filesystem.exists(path):
        filesystem.rm_file(path)


def open_stream(url: str | Path) -> "fsspec.core.OpenFile":
    """A binary stream of a file for reading (a context manager)."""
    filesystem, path = _filesystem(str(url))
    return filesystem.open(path, "rb")
