"""The source of a trainable of one's own: its identity, and what is refused."""

import hashlib

import pytest

from data_shards.errors import UsageError
from trainables import own
from trainables.experiment import Experiment
from trainables.own import Source
from trainables.presets import PRESETS

TEXT = 'DEFAULTS = {"ridge": 1.0, "size": 8, "whiten": False}\n\ndef train(settings):\n    ...\n'
SOURCE = Source("my_model", TEXT)
BASE = SOURCE.experiment(PRESETS["demo"])


def test_its_experiment_names_the_digest_and_its_parameters():
    digest = hashlib.sha256(TEXT.encode()).hexdigest()
    assert BASE.trainable == f"my_model@{digest}"
    assert BASE.model == f"my_model@{digest[:12]}"
    assert BASE.flat() == {
        "data": "", "seed": 0, "batch_size": 64, "epochs": 10, "selection": "val",
        "max_broken": 0.001, "trainable": BASE.model, "ridge": 1.0, "size": 8, "whiten": False,
    }  # fmt: skip


def test_its_parameters_are_set_as_the_types_of_their_defaults():
    found = BASE.replace(ridge="3", size="16", whiten="on", epochs="4")
    assert dict(found.own) == {"ridge": 3.0, "size": 16, "whiten": True}
    assert found.epochs == 4
    assert BASE.replace(ridge=3).trial_id == BASE.replace(ridge=3.0).trial_id
    with pytest.raises(UsageError, match="size must be a whole number"):
        BASE.replace(size="many")
    with pytest.raises(UsageError, match="field must be one of data, seed, .*ridge.*'gamma'"):
        BASE.replace(gamma=5)


def test_its_id_is_that_of_all_that_it_reads_and_of_nothing_else():
    assert BASE.trial_id != BASE.replace(ridge=2).trial_id
    assert BASE.trial_id != BASE.replace(seed=1).trial_id
    other = Source("my_model", TEXT + "# another\n").experiment(PRESETS["demo"])
    assert BASE.trial_id != other.trial_id
    thesis = SOURCE.experiment(PRESETS["thesis"]).replace(epochs=10)
    assert BASE.trial_id == thesis.trial_id == BASE.resolved().trial_id


def test_it_goes_through_json_and_back():
    found = BASE.replace(ridge=2)
    assert Experiment.from_dict(found.to_dict()) == found
    assert found.differing()["own"]["ridge"] == 2.0
    assert Experiment.from_dict(found.differing()) == found


def test_vfsel_is_stored_as_if_there_were_no_other_trainable():
    assert not {"trainable", "own"} & {*Experiment().to_dict(), *Experiment().flat()}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("DEFAULTS = {}\n", "my_model.py must define train"),
        ("def train(): ...\n", "my_model.py must define DEFAULTS"),
        (
            "def train(): ...\n\nDEFAULTS = dict(a=1)\n",
            r"my_model.py:3: DEFAULTS must be a dict of",
        ),
        ("DEFAULTS = {'a': [1]}\ndef train(): ...\n", r"my_model.py:1: a must be a finite number"),
        ("DEFAULTS = {'epochs': 1}\ndef train(): ...\n", "epochs must not be an own parameter"),
        ("DEFAULTS = {'a b': 1}\ndef train(): ...\n", "must be an identifier, but got 'a b'"),
        ("DEFAULTS = {'a': 1e999}\ndef train(): ...\n", "a must be a finite number"),
        ("DEFAULTS = {\n", r"my_model.py:1: '{' was never closed"),
    ],
)
def test_what_is_no_trainable_is_refused_in_one_line(text, said):
    with pytest.raises(UsageError, match=said):
        Source("my_model", text)


def test_reading_a_source_runs_none_of_it(tmp_path):
    path = tmp_path / "my_model.py"
    path.write_text(TEXT + "\nraise RuntimeError\n")
    assert own.read(path).defaults == {"ridge": 1.0, "size": 8, "whiten": False}


@pytest.mark.parametrize(
    "stored", [{"trainable": "x"}, {"trainable": "../x@" + "0" * 64}, {"own": {"a": 1}}]
)
def test_a_stored_experiment_of_another_form_is_refused(stored):
    with pytest.raises(UsageError, match="trainable"):
        Experiment.from_dict(stored)
