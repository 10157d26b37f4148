"""What an arm is tuned over: what it has, less what its sweep decides."""

from search_spaces.tuning import SPACE, space_of
from trainables.presets import PRESETS

BASE = PRESETS["demo"]


def test_each_loss_has_its_own_fields():
    matching = space_of(BASE.replace(loss="matching"), SPACE, decided=["loss"])
    triplet = space_of(BASE.replace(loss="triplet"), SPACE, decided=["loss"])
    assert list(matching) == ["gamma", "learning_rate", "weight_decay"]
    assert list(triplet) == ["margin", "learning_rate", "weight_decay"]


def test_what_the_sweep_decides_is_not_tuned():
    assert "gamma" not in space_of(BASE, SPACE, decided=["gamma"])
    assert space_of(BASE, {"gamma": SPACE["gamma"]}, decided=["gamma"]) == {}


def test_choices_are_tuned_as_well():
    space = {"window": ["hamming", "hann"], "impostors": ["one", "all"]}
    assert list(space_of(BASE.replace(loss="matching"), space, decided=[])) == ["window"]
