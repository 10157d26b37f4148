"""A study's damaged files: the same trials go on under the same numbers."""

import json

import pytest

from orchestrator.search.mending import mend
from orchestrator.search.study import RUNNING, Study, entries
from orchestrator.storage import Storage
from tests.orchestrator.search.objective import advance, question, searched

TRIALS = 14  # TPE learns from the tenth on
LAST = f"{TRIALS - 1:05}.json"


@pytest.fixture
def storage(tmp_path):
    return Storage(str(tmp_path))


@pytest.fixture
def folder(tmp_path):
    """The books of a search of one trial at a time."""
    study = searched(tmp_path, TRIALS)
    return tmp_path / "studies" / study.question.study_id


def _params(storage):
    return [entry.params for entry in entries(question(), storage)]


def _cut(path, share):
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])


def test_whole_books_stay_as_they_are(storage, folder, capsys):
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    mend(question(), storage)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("share", [0.8, 0.5, 0.1, 0.0])
@pytest.mark.parametrize("number", [0, TRIALS - 1])
def test_a_trial_cut_short_runs_again_at_the_same_point(storage, folder, share, number, capsys):
    before = _params(storage)
    _cut(folder / f"{number:05}.json", share)
    mend(question(), storage)
    assert _params(storage) == before
    books = entries(question(), storage)
    assert books[number].state == RUNNING
    assert books[number].values == {}
    study = Study(question(), storage)
    assert study.unfinished == [number]
    advance(study, trials=TRIALS)
    assert [entry.number for entry in study.books] == list(range(TRIALS))
    assert study.unfinished == []
    assert len(capsys.readouterr().err.splitlines()) == 1
    assert len(list((folder.parents[1] / "damaged").rglob("*.json"))) == 1


def test_parameters_that_still_stand_are_not_asked_for_again(storage, folder):
    """With trials at once, the sampler would suggest others by now."""
    kept = json.loads((folder / LAST).read_text())
    kept["params"]["gamma"] /= 2
    (folder / LAST).write_text(json.dumps(kept, indent=1))
    _cut(folder / LAST, 0.8)
    mend(question(), storage)
    assert _params(storage)[-1] == kept["params"]


def test_a_missing_trial_is_asked_for_again(storage, folder):
    before = _params(storage)
    (folder / "00004.json").unlink()
    mend(question(), storage)
    assert _params(storage) == before


@pytest.mark.parametrize("content", ["{}", "[]", '{"number": 3, "params": {"gamma": 1}}'])
def test_what_is_no_trial_is_asked_for_again(storage, folder, content):
    before = _params(storage)
    (folder / LAST).write_text(content)
    mend(question(), storage)
    assert _params(storage) == before


def test_the_question_is_written_anew(storage, folder):
    before = json.loads((folder / "study.json").read_text())
    _cut(folder / "study.json", 0.5)
    mend(question(), storage)
    assert len(Study(question(), storage).books) == TRIALS
    assert json.loads((folder / "study.json").read_text()) == before
