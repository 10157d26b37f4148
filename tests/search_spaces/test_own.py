"""Sweeps of one's own: loaded by path, named by it, and what is wrong said in one line."""

import pytest

from data_shards.errors import UsageError
from search_spaces import sweep
from trainables.presets import PRESETS

HEAD = "from search_spaces.designs import Factorial\nfrom search_spaces.sweep import Sweep\n"
VFSEL = (
    f'{HEAD}SWEEP = Sweep(question="?", source="me", design=Factorial({{"gamma": [1.0, 2.0]}}))\n'
)
OWN = (
    f'{HEAD}SWEEP = Sweep(question="?", source="me", trainable="parts/my_model.py",\n'
    '    design=Factorial({"ridge": [1, 10.0]}), changes={"epochs": 3})\n'
)
MODEL = 'DEFAULTS = {"ridge": 0.1, "size": 4}\n\ndef train(settings): ...\n'


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr(sweep, "_OWN", {})
    monkeypatch.chdir(tmp_path)
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts" / "my_model.py").write_text(MODEL)
    return tmp_path


def _plan(found, **settings):
    base = found.base(PRESETS["demo"], settings)
    return found.plan(base, range(2), lambda _: None).trials


def test_a_sweep_is_named_as_its_file_and_known_by_it_from_then_on(folder):
    (folder / "mine.py").write_text(VFSEL)
    found = sweep.load("mine.py")
    assert (found.name, found.asked_as) == ("mine", "mine.py")
    assert sweep.load("mine") == found
    assert "mine" not in sweep.names()
    same = PRESETS["demo"].replace(gamma=1.0, seed=0)
    assert _plan(found)[0].id == same.trial_id  # VFSEL's trials are shared with built-in sweeps


def test_a_trainable_is_found_from_the_folder_of_the_sweep(folder, monkeypatch):
    (folder / "mine.py").write_text(OWN)
    monkeypatch.chdir("/")
    trials = _plan(sweep.load(str(folder / "mine.py")), size="8")
    assert [trial.name for trial in trials] == [
        "ridge=1 seed=0", "ridge=1 seed=1", "ridge=10 seed=0", "ridge=10 seed=1",
    ]  # fmt: skip
    assert {trial.experiment.model[:9] for trial in trials} == {"my_model@"}
    assert dict(trials[0].experiment.own) == {"ridge": 1.0, "size": 8}
    assert trials[0].experiment.epochs == 3


def test_a_parameter_that_the_sweep_decides_cannot_be_set(folder):
    (folder / "mine.py").write_text(OWN)
    with pytest.raises(UsageError, match="ridge must not be set: the sweep mine decides it"):
        sweep.load("mine.py").base(PRESETS["demo"], {"ridge": 3})
    with pytest.raises(UsageError, match="field must be one of data, .*size.*'gamma'"):
        sweep.load("mine.py").base(PRESETS["demo"], {"gamma": 3})


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("mine.py", "X = 1\n", r"mine.py must define SWEEP = Sweep\(...\)"),
        ("mine.py", HEAD + "SWEEP = Sweep()\n", r"mine.py:3: TypeError: .*missing"),
        ("mine.py", "def (:\n", r"mine.py:1: "),
        ("gamma.py", VFSEL, "must not be called as a built-in one, but got gamma: rename it"),
        ("my-sweep.py", VFSEL, "must be named like my_file.py"),
        ("mine.py", OWN.replace("my_model", "other"), "parts/other.py must be a Python file"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(folder, name, text, said):
    (folder / name).write_text(text)
    with pytest.raises(UsageError, match=said) as raised:
        sweep.load(name)
    assert "\n" not in str(raised.value)


def test_an_unknown_name_is_told_how_ones_own_are_named(folder):
    with pytest.raises(UsageError, match="One of your own is named by its file, as mine.py"):
        sweep.load("mine")
    with pytest.raises(UsageError, match="nowhere.py must be a Python file, but cannot be read"):
        sweep.load("nowhere.py")
