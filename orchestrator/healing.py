"""Files that are cut short or not what they must be: found, set aside, made anew by the sweep.

Files are written whole, but a disk can lose the end of what it took: power fails, a copy of a
storage stops half-way. `sweep` looks at what its plan rests on before it plans. JSON is read;
the other kinds have an end by which a file that was cut short is known, so that a thousand
records cost a few thousand short reads, many at once.
"""

import functools
import itertools
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass

from data_shards import files
from data_shards.errors import DataError, NetworkError
from orchestrator.pictures.of_sweep import LAST
from orchestrator.planning import Question
from orchestrator.storage import READERS, Storage

_ZIP_END, _ZIP_END_BYTES = b"PK\5\6", 22  # .npz and .pt are ZIP files
_PNG_END = b"IEND\xaeB`\x82"
_CUT, _AGAIN = "cut short", "its trial runs again"


@dataclass(frozen=True)
class Damage:
    """A file that a sweep sets aside."""

    names: tuple[str, ...]
    """Its path in the storage."""
    reason: str
    then: str
    """What comes of it."""

    @property
    def path(self) -> str:
        """Its path in the storage, as one text."""
        return "/".join(self.names)


def heal_plan(question: Question, storage: Storage) -> list[Damage]:
    """Set aside what is damaged of a plan's trials, stage by stage: later ones rest on records."""
    found: list[Damage] = heal(storage, [])
    healed: set[str] = set()

    def score(trial_id: str) -> float | None:
        return storage.score(trial_id) if trial_id in healed else None

    def planned() -> set[str]:
        plan = question.sweep.plan(question.base, range(question.seeds), score)
        return {trial.id for trial in plan.trials}

    while new := planned() - healed:
        found += heal(storage, new)
        healed |= new
    return found


def heal(storage: Storage, trial_ids: Iterable[str] | None = None) -> list[Damage]:
    """Set aside what `damaged` finds, with a warning each. Only who holds the storage may do so.

    A recorded trial's reports are written anew from its record.
    """
    found = damaged(storage, trial_ids)
    for damage in found:
        set_aside(storage, damage)
        if damage.names[0] == "reports":
            _write_reports(storage, damage.names[1].removesuffix(".jsonl"))
    return found


def set_aside(storage: Storage, damage: Damage) -> None:
    """Move a file to `damaged/`, if it is there, and warn."""
    print(
        f"warning: {files.shown(_url(storage, damage.names))} is damaged ({damage.reason}): "
        f"set aside in damaged/, {damage.then}.",
        file=sys.stderr,
        flush=True,
    )
    with suppress(FileNotFoundError):
        files.move(_url(storage, damage.names), _url(storage, ("damaged", *damage.names)))


def _write_reports(storage: Storage, trial_id: str) -> None:
    """From the record; where that was set aside too, the trial reports them again."""
    record = storage.record(trial_id)
    if record:
        storage.write_reports(trial_id, record["reports"])


def damaged(storage: Storage, trial_ids: Iterable[str] | None = None) -> list[Damage]:
    """Damaged plans, and what is damaged of these trials (None: of all).

    Not checkpoints and searches: those are mended where they are read. Records come before the
    files that they speak of: a stop between the two leaves a trial to run, not a record without
    its queries.
    """
    listed = {kind: _ids(storage, kind) for kind in _CHECKS}
    asked = None if trial_ids is None else set(trial_ids)
    work = [
        (check, trial_id)
        for kind, check in _CHECKS.items()
        for trial_id in sorted(listed[kind])
        if asked is None or trial_id in asked
    ]
    with ThreadPoolExecutor(READERS) as pool:
        some = pool.map(lambda each: list(each[0](storage, each[1])), work)
        return [*_plans(storage), *itertools.chain.from_iterable(some)]


def _ids(storage: Storage, kind: str) -> set[str]:
    return {name.split(".")[0] for name in files.names(files.join(storage.url, kind))}


def _plans(storage: Storage) -> Iterator[Damage]:
    for name in files.names(files.join(storage.url, "plans")):
        if reason := _said(functools.partial(storage.plan, name)):
            yield Damage(("plans", name), reason, "its own command writes it anew")


def _said(read: Callable[[], object]) -> str:
    """What a reader says is wrong; "" for nothing."""
    try:
        read()
    except NetworkError:
        raise
    except DataError as error:
        return _reason(str(error))
    return ""


def _reason(message: str) -> str:
    """The part in brackets of a message such as `x.json is damaged (why): …`."""
    _, opened, rest = message.partition("is damaged (")
    return rest.rpartition("): ")[0] if opened else "it is not what it must be"


def _url(storage: Storage, names: Sequence[str]) -> str:
    return files.join(storage.url, *names)


def _tail(storage: Storage, names: Sequence[str], count: int) -> bytes | None:
    """The last bytes of a file, or None without it."""
    return files.tail(_url(storage, names), count)


def _is_zip(tail: bytes) -> bool:
    return len(tail) == _ZIP_END_BYTES and tail.startswith(_ZIP_END)


def _record(storage: Storage, trial_id: str) -> Iterator[Damage]:
    """A record and the files that it speaks of."""
    name = ("records", f"{trial_id}.json")
    if reason := _said(lambda: storage.record(trial_id)):
        yield Damage(name, reason, _AGAIN)
        return
    queries = ("queries", f"{trial_id}.npz")
    tail = _tail(storage, queries, _ZIP_END_BYTES)
    if tail is None:
        yield Damage(name, "its queries are missing", _AGAIN)
    elif not _is_zip(tail):
        yield Damage(name, "its queries are cut short", _AGAIN)
        yield Damage(queries, _CUT, _AGAIN)
    reports = ("reports", f"{trial_id}.jsonl")
    if _tail(storage, reports, 1) not in (b"\n", None):
        yield Damage(reports, _CUT, "written anew")


def _failure(storage: Storage, trial_id: str) -> Iterator[Damage]:
    if reason := _said(lambda: storage.failure(trial_id)):
        yield Damage(("failures", f"{trial_id}.json"), reason, "nothing rests on it")


def _model(storage: Storage, trial_id: str) -> Iterator[Damage]:
    name = ("models", trial_id, "best.pt")
    tail = _tail(storage, name, _ZIP_END_BYTES)
    if tail is not None and not _is_zip(tail):
        yield Damage(name, _CUT, "no pictures can be drawn of it")


def _pictures(storage: Storage, trial_id: str) -> Iterator[Damage]:
    """The one that is drawn last goes along: where it is, all count as drawn."""
    names = files.names(storage.pictures_url(trial_id))
    tails = {n: _tail(storage, ("pictures", trial_id, n), len(_PNG_END)) for n in names}
    cut = [name for name, tail in tails.items() if tail != _PNG_END]
    for name in cut:
        yield Damage(("pictures", trial_id, name), _CUT, "drawn again")
    if cut and LAST in names and LAST not in cut:
        yield Damage(("pictures", trial_id, LAST), "others of its trial are", "drawn again")


_CHECKS: dict[str, Callable[[Storage, str], Iterator[Damage]]] = {
    "records": _record,
    "failures": _failure,
    "models": _model,
    "pictures": _pictures,
}
