"""One writing command (`sweep`, `sync`) at a time on a storage.

In a folder it is the kernel's lock on the file `lock`: a dead driver's is free at once, whatever
lies there, and `lock.json` beside it says who holds it. On an object store the file `lock.json`
is the lock: created exclusively, and written anew every BEAT_SECONDS by its holder. Who finds it
watches for WATCH_SECONDS whether it changes, and takes it over if not; no clocks are compared.
A process of this machine that is no more is not watched.

Where a lock cannot be had (a file system without locks, a store without exclusive creation, a
holder cut off from its store for longer than that), two commands may run at once. That costs time
and loses nothing: every file is written whole, and a trial's record is the same whoever writes it.
"""

import errno
import json
import os
import socket
import sys
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock, Timeout, lock_descriptor

from data_shards import files
from data_shards.errors import DataError, NetworkError
from orchestrator.storage import Storage

BEAT_SECONDS, WATCH_SECONDS = 20.0, 45.0
SETTLE_SECONDS = 2.0  # of two who take over a dead holder's lock at once, the later write counts
GRACE_SECONDS = 1.0  # `look` holds the kernel's lock for a moment
_NO_MARK = (ValueError, KeyError, TypeError, RecursionError)
_NO_LOCKS = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP)


@dataclass(frozen=True)
class Held:
    """Who holds, or held, a storage."""

    command: str
    host: str
    pid: int
    since: str
    """UTC, to the second."""
    alive: bool = True

    @property
    def text(self) -> str:
        """One line for people."""
        text = f"`{self.command}` (host {self.host}, process {self.pid}, since {self.since})"
        return "".join(filter(str.isprintable, text))  # whoever writes there could steer a terminal


@dataclass(frozen=True)
class _Mark:
    """What a holder writes into the storage."""

    command: str
    host: str = field(default_factory=socket.gethostname)
    pid: int = field(default_factory=os.getpid)
    since: str = field(default_factory=lambda: f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC")
    machine: str = field(default_factory=lambda: _machine())
    token: str = field(default_factory=lambda: uuid.uuid4().hex)

    def content(self, beat: int = 0) -> bytes:
        """The file; each beat makes another one of it."""
        return json.dumps(asdict(self) | {"beat": beat}).encode()

    def is_in(self, content: bytes | None) -> bool:
        """Whether a file is this holder's."""
        return content is not None and self.token.encode() in content


@contextmanager
def held(storage: Storage, *, command: str) -> Iterator[None]:
    """Hold a storage for a command that writes; it is free at every kind of end.

    Raises:
        DataError: another command holds it; says who, and what to do.
        UsageError: the storage cannot be written.
    """
    storage.check_writable()
    mark = _Mark(command)
    with _beating(storage, mark) if files.is_remote(storage.url) else _locked(storage, mark):
        yield


def look(storage: Storage) -> Held | None:
    """Who holds a storage, or left its mark when it died; on an object store up to WATCH_SECONDS.

    Where nothing can be locked, who left a mark counts as alive.
    """
    content = files.read_bytes(_url(storage))
    if content is None:
        return None
    if files.is_remote(storage.url):
        return _holder(content, alive=_changes(storage, content))
    return _holder(content, alive=not _is_free(storage))


def remove_stale(storage: Storage) -> bool:
    """Delete the mark of a command that died; whether there was one.

    A live one is left alone. Nothing needs this: the next command takes a dead one's place.
    """
    found = look(storage)
    if found is None or found.alive:
        return False
    files.remove(_url(storage))
    return True


def _url(storage: Storage) -> str:
    return files.join(storage.url, "lock.json")


def _path(storage: Storage) -> Path:
    return Path(storage.url.removeprefix("file://")) / "lock"


def _machine() -> str:
    """What process numbers are unique in: a boot of a kernel, and a container; "" if unknown."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return f"{boot} {Path('/proc/self/ns/pid').readlink()}"
    except OSError:
        return ""


def _is_dead(content: bytes) -> bool:
    """Whether a mark is that of a process of this machine that is no more: nothing to watch."""
    try:
        value = json.loads(content)
        return (
            bool(_machine() == value["machine"] != "")
            and not Path(f"/proc/{value['pid']}").exists()
        )
    except _NO_MARK:
        return False


def _holder(content: bytes | None, *, alive: bool = True) -> Held | None:
    """The holder that a mark names, if it can be read."""
    try:
        value = json.loads(content or b"")
        names = {name: value[name] for name in ("command", "host", "pid", "since")}
    except _NO_MARK:
        return Held("an unknown command", "?", 0, "?", alive) if content else None
    return Held(**names, alive=alive)


def _taken(storage: Storage, content: bytes | None) -> DataError:
    holder = _holder(content)
    return DataError(
        "a storage must be written by one command at a time, but "
        f"{files.shown(storage.url)} is held by {holder.text if holder else 'another command'}: "
        "wait for it (`status` shows how far it is), stop it, or give another --storage."
    )


def _warn(storage: Storage, reason: str) -> None:
    print(
        f"warning: {files.shown(storage.url)} cannot be locked ({reason}): start one command at a "
        "time on it, or trials are trained twice.",
        file=sys.stderr,
        flush=True,
    )


@contextmanager
def _locked(storage: Storage, mark: _Mark) -> Iterator[None]:
    """By the kernel. Neither forked nor started processes keep the lock: it ends with this one."""
    lock = FileLock(_path(storage), fallback_to_soft=False)
    try:
        lock.acquire(timeout=GRACE_SECONDS)
    except Timeout:
        raise _taken(storage, files.read_bytes(_url(storage))) from None
    except OSError as error:
        if error.errno not in _NO_LOCKS:
            raise
        _warn(storage, f"{error.strerror}")
    try:
        files.write_atomic(_url(storage), mark.content())
        yield
    finally:
        with suppress(OSError):  # a disk that is read-only by now
            files.remove(_url(storage))
        lock.release()


def _is_free(storage: Storage) -> bool:
    """Whether nobody holds the kernel's lock; also on a read-only disk."""
    try:
        descriptor = os.open(_path(storage), os.O_RDONLY)
    except FileNotFoundError:
        return True
    try:
        return lock_descriptor(descriptor, blocking=False)
    except OSError:
        return False
    finally:
        os.close(descriptor)


@contextmanager
def _beating(storage: Storage, mark: _Mark) -> Iterator[None]:
    """By a file that lives as long as it changes."""
    try:
        _take(storage, mark)
    except NetworkError as error:
        if "NotImplemented" not in str(error):
            raise
        _warn(storage, "it has no exclusive creation")
        files.write_atomic(_url(storage), mark.content())
    end = threading.Event()
    beat = threading.Thread(target=_beat, args=(storage, mark, end), daemon=True)
    beat.start()
    try:
        yield
    finally:
        end.set()
        beat.join(timeout=2)
        with suppress(DataError):  # out of reach: the next command sees that it no longer beats
            if mark.is_in(files.read_bytes(_url(storage))):
                files.remove(_url(storage))


def _take(storage: Storage, mark: _Mark) -> None:
    url = _url(storage)
    while not files.create(url, mark.content()):
        found = files.read_bytes(url)
        if mark.is_in(found):
            return  # it was ours, and only the answer was lost
        if found is None:
            continue  # given back a moment ago
        if _changes(storage, found, say=True):
            raise _taken(storage, found)
        if files.read_bytes(url) == found:
            _take_over(storage, mark)
            return


def _take_over(storage: Storage, mark: _Mark) -> None:
    """A dead holder's lock; another challenger may do so at the same time."""
    files.write_atomic(_url(storage), mark.content())
    time.sleep(SETTLE_SECONDS)
    found = files.read_bytes(_url(storage))
    if not mark.is_in(found):
        raise _taken(storage, found)


def _changes(storage: Storage, before: bytes, *, say: bool = False) -> bool:
    """Whether a lock's holder lives: it writes the file anew before long.

    One that was given back has none.
    """
    holder = _holder(before)
    if _is_dead(before):
        return False
    if say and holder:
        print(
            f"{files.shown(storage.url)} was left by {holder.text}, or is held by it: watching for "
            f"up to {WATCH_SECONDS:g} s whether it lives.",
            file=sys.stderr,
            flush=True,
        )
    deadline = time.monotonic() + WATCH_SECONDS
    while time.monotonic() < deadline:
        time.sleep(min(2.0, WATCH_SECONDS / 20))
        now = files.read_bytes(_url(storage))
        if now != before:
            return now is not None
    return False


def _beat(storage: Storage, mark: _Mark, end: threading.Event) -> None:
    """Until the end, or until another command has taken the storage over."""
    count = 0
    while not end.wait(BEAT_SECONDS):
        count += 1
        with suppress(DataError, OSError):  # out of reach: the next beat may come through
            if not mark.is_in(files.read_bytes(_url(storage))):
                print(
                    f"warning: {files.shown(storage.url)} was taken over by another command, since "
                    "this one was cut off from it: stop one of them, or trials are trained twice.",
                    file=sys.stderr,
                    flush=True,
                )
                return
            files.write_atomic(_url(storage), mark.content(count))
