"""The storage: can it be written, who holds it, and what kills and failures have left in it."""

import re
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from data_shards import files
from data_shards.errors import UsageError
from orchestrator import healing, lock
from orchestrator.doctor.check import OK, WARNING, Asked, Check, refused
from orchestrator.storage import Storage

OLD_SECONDS = 24 * 3600
_HALF_WRITTEN = re.compile(r"\..+\.[a-z0-9_]{8}")  # of `files.write_atomic`
_NAMED = 3


def checks(asked: Asked) -> Iterator[Check]:
    """Whether it can be written; then, who writes to it, and what is left in it."""
    found = Storage(asked.storage)
    try:
        _probe(found)
    except UsageError as error:
        yield refused("storage", error)
        return
    shown = files.shown(found.url)
    yield Check("storage", OK, f"a file was written, renamed and deleted in {shown}")
    holder = lock.look(found)
    yield _lock(found, holder, fix=asked.fix)
    if holder is None or not holder.alive:
        yield from _left_behind(found, fix=asked.fix)
    damaged = healing.damaged(found)
    yield _records(found, damaged)
    yield from _failures(found, {each.path for each in damaged})


def _probe(storage: Storage) -> None:
    """Write to it; a folder that was not there is gone again afterwards."""
    folder = Path(storage.url.removeprefix("file://")).absolute()
    is_local = not files.is_remote(storage.url)
    made = [each for each in (folder, *folder.parents) if is_local and not each.exists()]
    try:
        storage.check_writable()
    finally:
        for each in made:
            with suppress(OSError):
                each.rmdir()


def _lock(storage: Storage, holder: lock.Held | None, *, fix: bool) -> Check:
    if holder is None:
        return Check("lock", OK, "no command holds the storage")
    if holder.alive:
        return Check(
            "lock", WARNING, f"the storage is held by {holder.text}",
            "wait for it, stop it, or give another --storage",
        )  # fmt: skip
    if fix and lock.remove_stale(storage):
        return Check("lock", OK, f"fixed: removed what {holder.text} left")
    return Check(
        "lock", WARNING, f"{holder.text} died and left its mark",
        "run the same command again to go on; --fix removes the mark",
    )  # fmt: skip


def _left_behind(storage: Storage, *, fix: bool) -> Iterator[Check]:
    """Half-written files, and checkpoints of trials that have a record."""
    if old := list(half_written(storage)):
        size = sum(path.stat().st_size for path in old) / 1e6
        text = f"{len(old)} half-written files of a killed command ({size:.1f} MB)"
        if fix:
            for path in old:
                path.unlink(missing_ok=True)
            yield Check("half-written files", OK, f"fixed: deleted {text}")
        else:
            yield Check("half-written files", WARNING, text, "--fix deletes them")
    if done := sorted(storage.checkpoint_ids() & storage.record_ids()):
        text = f"of {len(done)} trials that have a record ({_some(done)})"
        if fix:
            for trial_id in done:
                files.remove_folder(storage.checkpoints_url(trial_id))
            yield Check("checkpoints", OK, f"fixed: deleted those {text}")
        else:
            yield Check("checkpoints", WARNING, text, "nothing needs them; --fix deletes them")


def half_written(storage: Storage) -> Iterator[Path]:
    """Temporary files of a local storage that nobody can be writing any more."""
    if files.is_remote(storage.url):
        return
    before = time.time() - OLD_SECONDS
    for path in Path(storage.url.removeprefix("file://")).rglob(".*"):
        named = _HALF_WRITTEN.fullmatch(path.name)
        if named and path.is_file() and path.stat().st_mtime < before:
            yield path


def _records(storage: Storage, damaged: list[healing.Damage]) -> Check:
    if not damaged:
        return Check("records", OK, f"{len(storage.record_ids())}, none damaged")
    told = _some([f"{each.path} ({each.reason})" for each in damaged])
    advice = "the next sweep sets them aside and does their trials again"
    return Check("records", WARNING, f"{len(damaged)} damaged files: {told}", advice)


def _failures(storage: Storage, damaged: set[str]) -> Iterator[Check]:
    ids = storage.failure_ids() - storage.record_ids()
    readable = {name for name in ids if f"failures/{name}.json" not in damaged}
    found = Counter(str(each["kind"]) for each in storage.failures(readable).values())
    if found:
        kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(found.items()))
        advice = "`status SWEEP` says why; the same sweep tries them again"
        yield Check("failed trials", WARNING, kinds, advice)


def _some(names: list[str]) -> str:
    more = len(names) - _NAMED
    return ", ".join(names[:_NAMED]) + (f" and {more} more" if more > 0 else "")
