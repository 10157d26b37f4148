"""Designs are pure functions of the scores: hand-worked tables."""

import pytest

from data_shards.errors import UsageError
from search_spaces.designs import (
    Factorial,
    Plan,
    Refine,
    Trial,
    Variants,
    cell_label,
    format_value,
    interior,
)
from trainables.experiment import Experiment

BASE = Experiment(image_encoder="small")
GAMMA = Refine("gamma", [1.0, 5.0, 10.0, 20.0, 50.0, 100.0])


def _levels(plan: Plan) -> list[float]:
    return [trial.varies["gamma"] for trial in plan.trials]


def _scores(table: dict[float, list[float]]):
    known = {
        BASE.replace(gamma=gamma, seed=seed).trial_id: score
        for gamma, scores in table.items()
        for seed, score in enumerate(scores)
    }
    return known.get


def test_without_scores_only_the_coarse_stage_is_planned():
    plan = GAMMA.plan(BASE, [0, 1], lambda _: None)
    assert _levels(plan) == [g for g in GAMMA.coarse for _ in range(2)]
    assert "stage 2" in plan.undecided


def test_one_missing_replicate_leaves_stage_2_undecided():
    table = {g: [50.0, 50.0] for g in GAMMA.coarse} | {100.0: [50.0]}
    assert GAMMA.plan(BASE, [0, 1], _scores(table)).undecided


def test_best_interval_is_the_adjacent_pair_with_the_highest_mean_over_seeds():
    # 50 alone is highest, but with its neighbours it loses to the pair (10, 20); seed 1 decides.
    table = {
        1.0: [10, 10], 5.0: [20, 20], 10.0: [60, 90], 20.0: [80, 70], 50.0: [85, 85],
        100.0: [0, 0],
    }  # fmt: skip
    # means: 10 → 75, 20 → 75, 50 → 85: pairs (10,20) = 150, (20,50) = 160.
    plan = GAMMA.plan(BASE, [0, 1], _scores(table))
    assert _levels(plan)[12:] == [g for g in (23, 26, 29, 32, 35, 38, 41, 44, 47) for _ in "01"]
    table[50.0] = [85, 60]  # mean 72.5: (20,50) = 147.5 < 150
    plan = GAMMA.plan(BASE, [0, 1], _scores(table))
    assert _levels(plan)[12:] == [float(g) for g in range(11, 20) for _ in "01"]
    assert plan.undecided == ""


def test_coarse_trials_stay_in_the_plan_when_the_fine_ones_appear():
    first = GAMMA.plan(BASE, [0], lambda _: None).trials
    table = {g: [float(g)] for g in GAMMA.coarse}
    second = GAMMA.plan(BASE, [0], _scores(table)).trials
    assert second[: len(first)] == first


def test_selection_last_has_nothing_to_choose_an_interval_by():
    with pytest.raises(UsageError, match="selection=last has none"):
        GAMMA.plan(BASE.replace(selection="last"), [0], lambda _: None)


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (1, 5, [2, 3, 4]),
        (5, 10, [6, 7, 8, 9]),
        (10, 20, [11, 12, 13, 14, 15, 16, 17, 18, 19]),
        (50, 100, [55, 60, 65, 70, 75, 80, 85, 90, 95]),
        (1, 2, []),
        (0.5, 2.5, [1, 2]),
    ],
)
def test_interior_integers_at_most_nine_evenly_spaced(low, high, expected):
    assert interior(low, high, most=9) == expected


def test_factorial_crosses_all_levels_and_seeds():
    design = Factorial({"image_attention": ["none", "B3"], "speech_attention": [True, False]})
    trials = design.plan(BASE, [0, 1], lambda _: None).trials
    assert len({trial.id for trial in trials}) == 8
    assert trials[3].name == "image_attention=none speech_attention=off seed=1"


def test_factorial_without_factors_is_the_base_alone():
    (trial,) = Factorial().plan(BASE, [0], lambda _: None).trials
    assert trial == Trial(BASE, {})
    assert trial.name == "seed=0"


@pytest.mark.parametrize(
    ("value", "text"), [(13.0, "13"), (0.5, "0.5"), (True, "on"), ("B3", "B3")]
)
def test_values_read_as_a_person_writes_them(value, text):
    assert format_value(value) == text


VARIANTS = Variants(
    {"whole": {}, "no attention": {"image_attention": "none"}, "Merkx": {"loss": "triplet"}},
    backbones={"Merkx": "resnet152"},
)


def test_variants_set_their_fields_and_are_called_by_their_names():
    plan = VARIANTS.plan(BASE.replace(gamma=3), [0, 1], lambda _: None)
    assert [trial.name for trial in plan.trials] == [
        f"{name} seed={seed}" for name in ("whole", "no attention", "Merkx") for seed in (0, 1)
    ]
    whole, _, plain, _, other, _ = (trial.experiment.flat() for trial in plan.trials)
    assert (whole["gamma"], plain["gamma"], other["loss"]) == (3, 3, "triplet")
    assert (whole["image_attention"], plain["image_attention"]) == ("B3", "none")
    assert VARIANTS.axes == ["variant"]
    assert VARIANTS.fields == ["image_attention", "loss"]


def test_published_backbones_stand_only_where_the_base_has_the_thesis_own():
    def encoders(base):
        return [
            trial.experiment.image_encoder
            for trial in VARIANTS.plan(base, [0], lambda _: None).trials
        ]

    assert encoders(Experiment()) == ["resnet101", "resnet101", "resnet152"]
    assert encoders(BASE) == ["small"] * 3


def test_a_cell_is_labelled_by_what_varies():
    assert cell_label({"gamma": 13.0, "speech_attention": True}) == "gamma=13 speech_attention=on"
    assert cell_label({"variant": "no attention"}) == "no attention"
    assert cell_label({}) == ""
