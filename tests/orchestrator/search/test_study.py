"""The books: nothing is lost, repeated or left running, wherever a search is cut."""

import json

import optuna
import pytest

from data_shards import files
from data_shards.errors import DataError, UsageError
from orchestrator.search.question import check_search
from orchestrator.search.study import COMPLETE, FAIL, PRUNED, RUNNING, Study, entries, frozen_study
from orchestrator.storage import Storage
from search_spaces.sweep import load
from tests.orchestrator.search.objective import EPOCHS, advance, question, searched
from trainables.presets import PRESETS

TRIALS = 15


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    return searched(tmp_path_factory.mktemp("whole"), TRIALS).books


def test_the_states_are_told_apart(whole):
    assert {entry.state for entry in whole} == {COMPLETE, PRUNED}
    for entry in whole:
        epochs = list(range(1, len(entry.values) + 1))
        assert list(entry.values) == epochs
        assert (entry.state == COMPLETE) == (len(epochs) == EPOCHS)


@pytest.mark.parametrize("steps", [1, 2, 5, 10, 11, 12, 13, 25, 40])
def test_cut_anywhere_and_gone_on_with_it_is_the_same_study(whole, steps, tmp_path):
    """Again and again after so many epochs; no step is left out or told twice."""
    storage = Storage(str(tmp_path))
    for _ in range(400):
        study = Study(question(), storage)
        # a restarted trial tells its epochs again before it trains new ones
        again = sum(len(study.books[number].values) for number in study.unfinished)
        if advance(study, trials=TRIALS, steps=steps + again):
            break
    assert study.books == whole
    assert entries(question(), storage) == whole


def test_running_trials_are_known_to_the_sampler_and_continued_first(tmp_path):
    storage = Storage(str(tmp_path))
    study = Study(question(), storage)
    numbers = [study.ask() for _ in range(3)]
    study.report(1, epoch=1, score=50.0)
    again = Study(question(), storage)
    assert again.unfinished == numbers
    assert [e.params for e in again.books] == [e.params for e in study.books]
    assert again.books[1].values == {1: 50.0}
    assert again.ask() == 3


def test_a_score_is_the_best_so_far(tmp_path):
    study = Study(question(pruner="none"), Storage(str(tmp_path)))
    study.ask()
    for epoch, score in enumerate([10.0, 30.0, 20.0], start=1):
        study.report(0, epoch=epoch, score=score)
    assert study.books[0].values == {1: 10.0, 2: 30.0, 3: 30.0}


def test_a_failure_keeps_its_reason_and_is_not_tried_again(tmp_path):
    storage = Storage(str(tmp_path))
    study = Study(question(), storage)
    study.end(study.ask(), FAIL, reason="the loss must be finite")
    again = Study(question(), storage)
    assert again.unfinished == []
    assert (again.books[0].state, again.books[0].reason) == (FAIL, "the loss must be finite")
    assert again.ask() == 1


def test_optuna_gets_the_same_trials_told_with_their_intermediate_values(whole, tmp_path):
    books = searched(tmp_path, TRIALS).books
    told = frozen_study(question(), books).trials
    assert [t.state.name for t in told] == [entry.state for entry in whole]
    assert [t.intermediate_values for t in told] == [entry.values for entry in whole]
    pruned = next(t for t in told if t.state == optuna.trial.TrialState.PRUNED)
    assert pruned.value == pruned.intermediate_values[pruned.last_step]


def test_unfinished_trials_are_left_out_of_reports(tmp_path):
    study = Study(question(), Storage(str(tmp_path)))
    study.ask()
    assert study.books[0].state == RUNNING
    assert frozen_study(question(), study.books).trials == []


def test_a_name_stands_for_one_study(tmp_path):
    storage = Storage(str(tmp_path))
    Study(question(name="mine"), storage)
    Study(question(name="mine"), storage)
    with pytest.raises(UsageError, match="space of image_attention was None, now .*--study"):
        Study(question(name="mine", also=("image_attention",)), storage)
    with pytest.raises(UsageError, match="sampler was tpe, now random"):
        Study(question(name="mine", sampler="random"), storage)
    with pytest.raises(UsageError, match="seed was 0, now 3"):
        Study(question(name="mine", seed=3), storage)


def test_without_a_name_another_space_is_another_study():
    ids = {
        question(**asked).study_id
        for asked in ({}, {"seed": 1}, {"sampler": "gp"}, {"also": ("image_attention",)})
    }
    assert len(ids) == 4


def test_a_missing_or_damaged_trial_is_said(tmp_path):
    storage = Storage(str(tmp_path))
    study = searched(tmp_path, 3)
    folder = tmp_path / "studies" / study.question.study_id
    (folder / "00001.json").write_text("{")
    with pytest.raises(DataError, match="00001.json is damaged"):
        Study(question(), storage)
    (folder / "00001.json").unlink()
    with pytest.raises(DataError, match="00001.json is missing"):
        Study(question(), storage)


def test_the_books_hold_plain_json_and_no_pickle(tmp_path):
    """CMA-ES keeps its state as a pickle in Optuna's study."""
    study = searched(tmp_path, 12, sampler="cmaes", pruner="none")
    for path in (tmp_path / "studies" / study.question.study_id).iterdir():
        value = json.loads(path.read_text())
        assert "cma" not in set(value)


def test_checkpoints_go_when_a_trial_has_ended(tmp_path):
    storage = Storage(str(tmp_path))
    study = Study(question(), storage)
    number = study.ask()
    checkpoint = tmp_path / "checkpoints" / study.trial(number).id / "last.pt"
    checkpoint.parent.mkdir(parents=True)
    checkpoint.write_bytes(b"state")
    study.end(number, FAIL, reason="x")
    assert not checkpoint.exists()


def test_a_rung_remembers_unfinished_trials_after_a_restart(tmp_path):
    """Three hold 50 at the first rung and are under way; a fourth with 1 is not among the best."""
    storage = Storage(str(tmp_path))
    study = Study(question(), storage)
    for number in [study.ask() for _ in range(3)]:
        assert not study.report(number, epoch=1, score=50.0)
    again = Study(question(), storage)
    assert again.report(again.ask(), epoch=1, score=1.0)
    assert again.books[3].state == PRUNED


def test_of_two_commands_on_one_study_the_later_goes_on_and_the_earlier_is_stopped(tmp_path):
    storage = Storage(str(tmp_path))
    first = Study(question(), storage)
    first.report(first.ask(), epoch=1, score=5.0)
    first.ask()
    second = Study(question(), storage)
    assert second.unfinished == [0, 1]
    second.end(0, FAIL, reason="of the second")
    stopped = "by one command at a time, but .* was taken over by a later one"
    with pytest.raises(UsageError, match=stopped):
        first.report(0, epoch=2, score=6.0)
    with pytest.raises(UsageError, match=stopped):
        first.end(1, FAIL)
    with pytest.raises(UsageError, match=stopped):
        first.ask()
    assert second.ask() == 2
    books = entries(question(), storage)
    assert [entry.state for entry in books] == [FAIL, RUNNING, RUNNING]
    assert books[0].values == {1: 5.0}


def test_checkpoints_that_a_kill_has_left_behind_an_end_are_removed(tmp_path):
    storage = Storage(str(tmp_path))
    study = Study(question(), storage)
    ended, open_ = (study.trial(study.ask()).id for _ in range(2))
    study.end(0, FAIL, reason="broken")
    for trial_id in (ended, open_):
        files.write_atomic(files.join(storage.checkpoints_url(trial_id), "last.pt"), b"of a kill")
    Study(question(), storage)
    assert storage.checkpoint_ids() == {open_}


@pytest.mark.parametrize("content", ["{}", '{"number": 0, "values": 3}', '{"values": {}, "x": 1}'])
def test_a_file_without_the_fields_of_a_trial_is_said_in_one_line(tmp_path, content):
    storage = Storage(str(tmp_path))
    Study(question(), storage).ask()
    path = tmp_path / "studies" / question().study_id / "00000.json"
    path.write_text(content)
    with pytest.raises(DataError, match="must be whole, but a file of trial|is damaged"):
        Study(question(), storage)


def test_a_space_that_the_base_does_not_have_is_refused_before_anything_is_written():
    sweep = load("tune")
    with pytest.raises(UsageError, match="gamma must be set together with the loss that has it"):
        check_search(
            sweep, preset=PRESETS["demo"], settings={"loss": "triplet"}, also=(), sampler="tpe",
            pruner="asha", min_epochs=None, seed=0, name="",
        )  # fmt: skip
