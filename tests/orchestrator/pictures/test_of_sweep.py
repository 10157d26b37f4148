"""A sweep's pictures: of which trials, once, and never in its way."""

import pytest

from orchestrator.answers import answer
from orchestrator.pictures import of_sweep
from orchestrator.planning import Question
from orchestrator.storage import Storage
from search_spaces.sweep import load
from tests.orchestrator.pictures import tiny


@pytest.fixture(scope="module")
def asked(tmp_path_factory, tones):
    """The loss sweep in a storage of its own; its first arm is trained, and as if the second were,
    with a better score."""
    storage = Storage(str(tmp_path_factory.mktemp("swept") / "runs"))
    question = Question(load("loss"), tiny.TINY.replace(data=tones.manifest.hash), 1, "tones")
    first, second = question.plan(storage).trials[:2]
    record = storage.record(tiny.run(storage, tones))
    assert record is not None
    assert record["trial_id"] == first.id
    better = {"selection": record["selection"] | {"value": 200.0}, "trial_id": second.id}
    storage.write_record(record | better | {"experiment": second.experiment.to_dict()}, {})
    return question, storage


def test_of_the_baseline_and_of_the_best_cell(asked):
    question, storage = asked
    trials = question.plan(storage).trials
    assert of_sweep.shown(answer(question, storage), storage) == [trials[0].id, trials[1].id]


def test_what_cannot_be_drawn_is_one_warning_and_the_rest_is_drawn_once(asked, tones, capsys):
    question, storage = asked
    first, second = (trial.id for trial in question.plan(storage).trials[:2])
    of_sweep.draw_missing(question, tones, storage, weights="")
    assert of_sweep.LAST in storage.pictures(first)
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"warning: no pictures of trial {second}: a trial's weights must be")
    before = storage.pictures(first)
    (marker,) = [name for name in before if name == "learning.png"]
    with open(f"{storage.pictures_url(first)}/{marker}", "wb") as stream:  # noqa: PTH123
        stream.write(b"as it was")
    of_sweep.draw_missing(question, tones, storage, weights="")
    assert storage.pictures(first)[marker] == b"as it was"


def test_the_baseline_is_vfsel_itself_also_where_nothing_chooses_a_best(tones, tmp_path):
    storage = Storage(str(tmp_path / "runs"))
    base = tiny.TINY.replace(data=tones.manifest.hash, selection="last")
    question = Question(load("attention_placement"), base, 1, "tones")
    ids = [tiny.run(storage, tones, selection="last", image_attention=p) for p in ("none", "B3")]
    assert of_sweep.shown(answer(question, storage), storage) == ids[1:]
    of_sweep.draw_missing(question, tones, storage, weights="")
    assert of_sweep.SIDE_BY_SIDE not in storage.pictures(ids[1])  # B4 is not there yet
    tiny.run(storage, tones, selection="last", image_attention="B4")
    of_sweep.draw_missing(question, tones, storage, weights="")
    assert of_sweep.SIDE_BY_SIDE in storage.pictures(ids[1])


def test_an_unreadable_storage_is_a_warning_too(asked, tones, tmp_path, capsys):
    question, _ = asked
    folder = tmp_path / "runs" / "records"
    folder.mkdir(parents=True)
    (folder / f"{question.plan(Storage(str(tmp_path / 'none'))).trials[0].id}.json").write_text("{")
    of_sweep.draw_missing(question, tones, Storage(str(tmp_path / "runs")), weights="")
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("warning: no pictures of the sweep: ")
