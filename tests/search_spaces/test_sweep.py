"""Contract over every sweep of the folder."""

import pytest

from data_shards.errors import UsageError
from search_spaces import sweep
from search_spaces.search import Range, Search
from trainables.experiment import Experiment

BASE = Experiment(image_encoder="small", data="0123456789abcdef")


PLANNED = [name for name in sweep.names() if not isinstance(sweep.load(name).design, Search)]
SEARCHES = [name for name in sweep.names() if name not in PLANNED]


@pytest.mark.parametrize("name", PLANNED)
def test_every_sweep_plans_distinct_trials_and_cites_the_thesis(name):
    found = sweep.load(name)
    assert found.name == name
    assert found.question.endswith("?")
    assert "thesis" in found.source
    trials = found.plan(found.base(BASE, {}), range(2), lambda _: None).trials
    assert len({trial.id for trial in trials}) == len(trials) >= 2


@pytest.mark.parametrize("name", SEARCHES)
def test_every_search_has_a_space_of_fields_that_there_are(name):
    found = sweep.load(name)
    assert found.name == name
    assert found.question.endswith("?")
    assert "thesis" in found.source
    space = found.design.with_also(list(found.design.optional))
    for field, over in space.items():
        for level in [over.low, over.high] if isinstance(over, Range) else over:
            assert found.base(BASE, {}).replace(**{field: level}).flat()[field] == level


def test_a_search_has_no_plan():
    with pytest.raises(UsageError, match="tune is a search"):
        sweep.load("tune").plan(BASE, [0], lambda _: None)


def test_vfsel_itself_is_one_trial_in_every_table():
    """The thesis' own row stands in several sweeps and trains once."""
    shared = [
        {t.id for t in found.plan(found.base(BASE, {}), [0], lambda _: None).trials}
        for found in map(
            sweep.load, ("baseline", "attention_placement", "speech_attention", "loss")
        )
    ]
    assert len(set.intersection(*shared)) == 1


def test_unknown_sweep_lists_the_known_ones_with_a_guess():
    with pytest.raises(UsageError, match="gamma.*Did you mean 'gamma'"):
        sweep.load("gama")


@pytest.mark.parametrize("field", ["gamma", "seed", "data"])
def test_what_the_sweep_decides_cannot_be_set(field):
    with pytest.raises(UsageError, match=f"{field} must not be set"):
        sweep.load("gamma").base(BASE, {field: "1"})


def test_settings_win_over_the_questions_own_changes():
    assert sweep.load("baseline").base(BASE, {"gamma": "5"}).loss.gamma == 5
