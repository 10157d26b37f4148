"""Whole-file reads and atomic writes on paths and fsspec URIs (`/data`, `s3://bucket/x`).

S3 is found the standard way: AWS_ENDPOINT_URL for a server that is not Amazon's, credentials from
the environment, a profile or the machine's role. Remote operations are repeated while a network
is away, and errors come in words: see `remote.py`.
"""

import errno
import os
import tempfile
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

import fsspec

from data_shards import remote
from data_shards.errors import DataError, UsageError

Result = TypeVar("Result")
SCHEMES = ("file", "memory", *remote.SCHEMES)


def is_remote(url: str | Path) -> bool:
    """Whether a location is on another machine."""
    return _scheme(str(url)) in remote.SCHEMES


def _scheme(url: str) -> str:
    return url.split("://", 1)[0] if "://" in url else "file"


def _do(url: str | Path, operation: Callable[[Any, str], Result]) -> Result:
    """What an operation on (file system, path) returns."""
    url = str(url)
    if _scheme(url) not in SCHEMES:
        raise UsageError(f"a location must be a path or one of {SCHEMES}, but got {shown(url)!r}.")
    if not is_remote(url):
        return operation(*fsspec.core.url_to_fs(url))
    if url.startswith(("s3:", "gs:")) and "@" in url.split("/")[2]:
        raise UsageError(
            f"{shown(url)} must hold no credentials: set AWS_ACCESS_KEY_ID and "
            "AWS_SECRET_ACCESS_KEY, or AWS_PROFILE."
        )
    client = remote.filesystem(_scheme(url), os.getpid())
    return remote.call(lambda: operation(client, url), where=shown(url))


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


def read_bytes(url: str | Path, *, limit: int | None = None) -> bytes | None:
    """The file's content, or None if there is no such file.

    Args:
        limit: the most bytes that it may have; of a longer one no more than that is read.

    Raises:
        DataError: it has more.
    """
    try:
        found = _do(url, lambda filesystem, path: _content(filesystem, path, limit))
    except (FileNotFoundError, NotADirectoryError):
        return None
    if limit is not None and len(found) > limit:
        raise DataError(
            f"{shown(url)} must have at most {limit} bytes, but is larger: it is not ours."
        )
    return found


def _content(filesystem: Any, path: str, limit: int | None) -> bytes:
    if limit is None:
        return bytes(filesystem.cat_file(path))
    return _part(filesystem, path, start=0, end=limit + 1)


def _part(filesystem: Any, path: str, **limits: int) -> bytes:
    """Bytes of a file; one request, and no more of it is read."""
    try:
        return bytes(filesystem.cat_file(path, **limits))
    except OSError as error:
        if error.errno != errno.EINVAL:
            raise
        return b""  # an object store has no range of an empty file


def tail(url: str | Path, count: int) -> bytes | None:
    """The last `count` bytes of a file, or the whole of a shorter one; None if there is none."""
    try:
        return _do(url, lambda filesystem, path: _part(filesystem, path, start=-count))
    except (FileNotFoundError, NotADirectoryError):
        return None


def write_atomic(url: str | Path, content: bytes) -> None:
    """Write a file so that a reader sees the old content or the new, never a part.

    Locally: write a temporary file beside it, fsync, rename, fsync the folder. On object stores a
    put is atomic by itself.
    """
    if _scheme(str(url)) == "file":
        _do(url, lambda _, path: _write_local(Path(path), content))
    else:
        _do(url, lambda filesystem, path: filesystem.pipe_file(path, content))


def create(url: str | Path, content: bytes) -> bool:
    """Write a file that must not be there yet; whether it was not.

    Of several who try at once one succeeds, where the store has exclusive creation (Amazon's S3
    and most that follow it, Google's); one that ignores `If-None-Match` writes over the file. An
    answer that was lost makes a second attempt, which finds the first one's file: read whose it is.
    """
    try:
        _do(url, lambda filesystem, path: filesystem.pipe_file(path, content, mode="create"))
    except FileExistsError:
        return False
    return True


def _write_local(target: Path, content: bytes) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    try:
        with os.fdopen(handle, "wb") as stream:
            os.fchmod(handle, 0o666 & ~_umask())  # mkstemp's 0600 would shut others out
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        Path(temporary).replace(target)
    except BaseException as error:
        Path(temporary).unlink(missing_ok=True)
        if isinstance(error, OSError) and is_full(error):
            raise OSError(error.errno, "the disk is full", str(target)) from error
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


def is_full(error: OSError) -> bool:
    """Whether a disk, or a user's share of it, has no room."""
    return error.errno in (errno.ENOSPC, errno.EDQUOT)


def names(url: str | Path) -> list[str]:
    """Names of the files in a folder, sorted; hidden ones (half-written) are left out."""
    try:
        entries = _do(url, lambda filesystem, path: filesystem.ls(path, detail=False))
    except (FileNotFoundError, NotADirectoryError):
        return []
    found = (str(entry).rstrip("/").rsplit("/", 1)[-1] for entry in entries)
    return sorted(name for name in found if not name.startswith("."))


def remove(url: str | Path) -> None:
    """Delete a file; nothing happens if it is not there."""
    with suppress(FileNotFoundError, NotADirectoryError):
        _do(url, lambda filesystem, path: filesystem.rm_file(path))


def remove_half_written(folder: str | Path) -> None:
    """Delete what a kill in the middle of `write_atomic` left in a folder that nobody writes to.

    An object store has no such files.
    """
    if _scheme(str(folder)) == "file":
        _do(folder, lambda _, path: _unlink(Path(path).glob(".*")))


def _unlink(paths: Iterable[Path]) -> None:
    for path in paths:
        path.unlink(missing_ok=True)


def move(url: str | Path, target: str | Path) -> None:
    """Rename a file; what was at the target is gone. On object stores: copied, then deleted.

    Raises:
        FileNotFoundError: there is no such file.
    """
    if _scheme(str(url)) == "file":
        _do(target, lambda _, path: Path(path).parent.mkdir(parents=True, exist_ok=True))
        _do(url, lambda filesystem, path: Path(path).replace(filesystem._strip_protocol(target)))
        return
    _do(url, lambda filesystem, path: filesystem.cp_file(path, str(target)))
    remove(url)


def remove_folder(url: str | Path) -> None:
    """Delete a folder and all that is in it; nothing happens if it is not there."""
    with suppress(FileNotFoundError, NotADirectoryError):
        _do(url, lambda filesystem, path: filesystem.rm(path, recursive=True))


def upload(source: Path, url: str) -> None:
    """Put a local file of any size under a URI; it appears there whole."""
    _do(url, lambda filesystem, path: filesystem.put_file(str(source), path))


def download(url: str, target: Path) -> None:
    """Get a file of any size into a local one, which is half-written until this returns.

    Raises:
        FileNotFoundError: there is no such file.
    """
    _do(url, lambda filesystem, path: filesystem.get_file(path, str(target)))
