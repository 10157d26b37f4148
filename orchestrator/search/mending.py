"""A study's books made whole before a search goes on; what was damaged is set aside.

A trial's file that was cut short mostly still says its parameters, which is enough: the trial
runs again, with its number, and finds the same. Where they are lost, the sampler is asked again,
from the trials before it: in a search of one trial at a time that is the same point.
"""

import json
from dataclasses import asdict
from typing import Any

from data_shards import files
from data_shards.errors import DataError, NetworkError
from orchestrator import stored
from orchestrator.healing import Damage, set_aside
from orchestrator.search.question import SearchQuestion
from orchestrator.search.study import Entry, entry_of, suggestion
from orchestrator.storage import TRIAL_FILE, Storage


def mend(question: SearchQuestion, storage: Storage) -> None:
    """Make every file of a study's books whole, a warning each. Only who holds the storage may."""
    folder = ("studies", question.study_id)
    names = files.names(files.join(storage.url, *folder))
    if "study.json" in names and not _is_question(question, storage):
        set_aside(storage, Damage((*folder, "study.json"), "cut short", "written anew"))
    numbers = [int(name[:5]) for name in names if TRIAL_FILE.fullmatch(name)]
    books: list[Entry] = []
    for number in range(max(numbers, default=-1) + 1):
        books.append(_entry(question, storage, books, (*folder, f"{number:05}.json")))


def _is_question(question: SearchQuestion, storage: Storage) -> bool:
    try:
        return bool(storage.study(question.study_id))
    except NetworkError:
        raise
    except DataError:
        return False


def _entry(
    question: SearchQuestion, storage: Storage, before: list[Entry], names: tuple[str, ...]
) -> Entry:
    """The trial behind these, from its file, or written anew."""
    url = files.join(storage.url, *names)
    content = files.read_bytes(url)
    found = _whole(question, content or b"", url)
    if found and found.number == len(before):
        return found
    params = _params(question, content) or suggestion(question, before)
    found = Entry(len(before), params)
    set_aside(storage, Damage(names, "cut short or missing", "its trial runs again"))
    storage.write_study_trial(question.study_id, asdict(found))
    return found


def _whole(question: SearchQuestion, content: bytes, url: str) -> Entry | None:
    try:
        return entry_of(question, stored.parse(content, url, stored.TRIAL))
    except DataError:
        return None


def _params(question: SearchQuestion, content: bytes | None) -> dict[str, Any] | None:
    """Parameters that still stand in a file."""
    _, _, rest = (content or b"").decode(errors="replace").partition('"params": ')
    try:
        found, _ = json.JSONDecoder().raw_decode(rest)
    except ValueError:
        return None
    return found if isinstance(found, dict) and set(found) == set(question.space) else None
