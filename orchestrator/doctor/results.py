"""The storage: writable, free, whole; and what killed commands left in it."""

import re
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from data_shards import files
from data_shards.errors import DataError, UsageError
from orchestrator import lock
from orchestrator.doctor.check import Asked, Check, error, ok, warning
from orchestrator.doctor.disk import existing
from orchestrator.healing import damaged
from orchestrator.storage import Storage

DAY = 86_400.0  # seconds; a younger half-written file may have an owner
_HALF_WRITTEN = re.compile(r"\..+\.[a-z0-9_]{8}")  # `.name.xxxxxxxx` of files.write_atomic
_SHOWN = 5
_FIX = "doctor --fix removes it"


def checks(asked: Asked) -> Iterator[Check]:
    """Nothing but the lock is looked at while another command writes."""
    yield (writable := _writable(asked.storage))
    if writable.level == "error":
        return
    holder = lock.look(asked.storage)
    if holder and holder.alive:
        yield _in_use(asked.storage, holder)
        return
    if not asked.fix:
        yield from _left(asked.storage, holder, fix=False)
    else:
        with lock.held(asked.storage, command="doctor --fix"):  # a sweep may start this moment
            yield from _left(asked.storage, holder, fix=True)


def _writable(storage: Storage) -> Check:
    """By a real file, written and renamed; a folder that is not there yet is not made."""
    shown, place = files.shown(storage.url), storage
    if not files.is_remote(storage.url) and "://" not in storage.url:
        place = Storage(str(existing(Path(storage.url))))
    try:
        place.check_writable()
    except (UsageError, DataError, OSError) as problem:
        return error("storage", f"{shown} cannot be written: {problem}", "give another --storage")
    return ok("storage", f"{shown} is writable")


def _in_use(storage: Storage, holder: lock.Held) -> Check:
    text = f"{files.shown(storage.url)} is held by {holder.text}"
    return warning("lock", text, "wait for it, stop it, or give another --storage")


def _left(storage: Storage, holder: lock.Held | None, *, fix: bool) -> Iterator[Check]:
    if holder:  # with `fix` it is ours by now, and goes when it is given back
        text = f"left by {holder.text}, which is no more"
        yield ok("lock", f"removed: {text}") if fix else warning("lock", text, _FIX)
    yield from _half_written(storage, fix=fix)
    yield from _checkpoints(storage, fix=fix)
    yield from _damaged(storage)
    yield from _failures(storage)


def _half_written(storage: Storage, *, fix: bool) -> Iterator[Check]:
    if files.is_remote(storage.url):  # an object store has none
        return
    paths = old_files(Path(storage.url.removeprefix("file://")))
    if not paths:
        return
    if fix:
        for path in paths:
            path.unlink(missing_ok=True)
    text = f"{len(paths)} half-written files, such as {paths[0].name}"
    advice = _FIX.replace("it", "them")
    yield ok("storage", f"removed: {text}") if fix else warning("storage", text, advice)


def old_files(folder: Path) -> list[Path]:
    """Half-written files of more than a day ago."""
    before = time.time() - DAY
    hidden = (path for path in folder.rglob(".*") if _HALF_WRITTEN.fullmatch(path.name))
    return sorted(path for path in hidden if path.is_file() and path.stat().st_mtime < before)


def _checkpoints(storage: Storage, *, fix: bool) -> Iterator[Check]:
    """Of trials that have their record: a kill came right behind it."""
    trial_ids = sorted(storage.record_ids() & storage.checkpoint_ids())
    if not trial_ids:
        return
    if fix:
        for trial_id in trial_ids:
            storage.remove_checkpoints(trial_id)
    text = f"checkpoints of {len(trial_ids)} finished trials ({', '.join(trial_ids[:_SHOWN])})"
    advice = "the same `sweep`, or doctor --fix, removes them"
    yield ok("storage", f"removed: {text}") if fix else warning("storage", text, advice)


def _damaged(storage: Storage) -> Iterator[Check]:
    found = damaged(storage)
    for damage in found[:_SHOWN]:
        advice = f"the same `sweep` sets it aside: {damage.then}"
        yield warning("storage", f"{damage.path} is damaged ({damage.reason})", advice)
    if len(found) > _SHOWN:
        yield warning("storage", f"{len(found) - _SHOWN} more files are damaged")


def _failures(storage: Storage) -> Iterator[Check]:
    failed = sorted(storage.failure_ids() - storage.record_ids())
    if failed:
        kinds = Counter(failure["kind"] for failure in storage.failures(failed).values())
        text = f"the last try of {len(failed)} trials failed: {_counted(kinds.most_common())}"
        yield warning("trials", text, "`status` says why; the same `sweep` tries them again")


def _counted(kinds: Sequence[tuple[str, int]]) -> str:
    return ", ".join(f"{count} {kind}" for kind, count in kinds)
