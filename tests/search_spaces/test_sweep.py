"""Contract over every sweep of the folder."""

import pytest

from data_shards.errors import UsageError
from search_spaces import sweep
from search_spaces.search import Range, Search
from search_spaces.thesis_values import value
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
            sweep.load,
            ("baseline", "attention_placement", "speech_attention", "loss", "components",
             "comparison", "flickr8k", "factors"),
        )
    ]  # fmt: skip
    assert len(set.intersection(*shared)) == 1


def test_one_component_left_out_is_one_trial_in_the_tables_that_ask_of_it():
    def cells(name):
        found = sweep.load(name)
        plan = found.plan(found.base(BASE, {}), [0], lambda _: None)
        return {trial.cell: trial.id for trial in plan.trials}

    components, placement = cells("components"), cells("attention_placement")
    assert components["no image attention"] == placement["image_attention=none"]
    assert components["triplet for matching"] == cells("loss")["loss=triplet"]
    assert components["no speech attention"] == cells("speech_attention")["speech_attention=off"]
    assert set(components.values()) < set(cells("factors").values())


TABLES = [name for name in PLANNED if sweep.load(name).table]


@pytest.mark.parametrize("name", TABLES)
def test_every_cell_has_a_row_in_the_thesis_table_on_each_of_its_data_sets(name):
    found = sweep.load(name)
    for trial in found.plan(found.base(BASE, {}), [0], lambda _: None).trials:
        row = found.rows.get(trial.cell, trial.cell or "VFSEL")
        for dataset in found.datasets:
            place = {"dataset": dataset, "direction": "s2i", "metric": "r1"}
            assert value(found.table, found.rows.get(row, row), **place) is not None


def test_the_tables_of_the_thesis_are_all_here():
    assert {sweep.load(name).table for name in TABLES} == {
        "table_5_4", "table_5_5", "table_5_6", "table_5_7", "gamma_sweep_author_logs"
    }  # fmt: skip


def test_the_comparison_is_that_of_table_5_2():
    found = sweep.load("comparison")
    cells = {
        trial.cell: trial.experiment.flat()
        for trial in found.plan(found.base(BASE, {}), [0], lambda _: None).trials
    }
    named = ("image_attention", "speech_encoder", "loss")
    assert {cell: tuple(fields[name] for name in named) for cell, fields in cells.items()} == {
        "VFSEL": ("B3", "pyramid_bigru", "matching"),
        "Harwath": ("none", "harwath", "triplet"),
        "Merkx": ("none", "merkx", "triplet"),
        "Zhen (DSCMR)": ("none", "pyramid_bigru", "dscmr"),
        "Zhang and Lu (CMPM+CMPC)": ("none", "pyramid_bigru", "cmpm_cmpc"),
        "Sarafianos (TIMAM)": ("none", "pyramid_bigru", "timam"),
    }
    assert (cells["Harwath"]["margin"], cells["Harwath"]["impostors"]) == (1.0, "one")
    assert (cells["Merkx"]["margin"], cells["Merkx"]["impostors"]) == (0.2, "all")


def test_on_flickr8k_each_model_has_its_papers_image_encoder():
    found = sweep.load("flickr8k")
    plan = found.plan(found.base(Experiment(), {}), [0], lambda _: None)
    assert {t.cell: t.experiment.image_encoder for t in plan.trials} == {
        "VFSEL": "resnet101", "Merkx": "resnet152", "Scharenborg": "vgg16", "Chrupała": "vgg16"
    }  # fmt: skip


def test_unknown_sweep_lists_the_known_ones_with_a_guess():
    with pytest.raises(UsageError, match="gamma.*Did you mean 'gamma'"):
        sweep.load("gama")


@pytest.mark.parametrize("field", ["gamma", "seed", "data"])
def test_what_the_sweep_decides_cannot_be_set(field):
    with pytest.raises(UsageError, match=f"{field} must not be set"):
        sweep.load("gamma").base(BASE, {field: "1"})


def test_settings_win_over_the_questions_own_changes():
    assert sweep.load("baseline").base(BASE, {"gamma": "5"}).loss.gamma == 5
