"""What MLflow's pages say of a sweep, against values worked by hand."""

import pytest

from orchestrator import mlflow_notes
from search_spaces.designs import Trial
from tests.orchestrator.tracked import BASE

TRIALS = [
    Trial(BASE.replace(gamma=gamma, seed=seed), {"gamma": gamma})
    for gamma in (1.0, 13.0)
    for seed in (0, 1, 2)
]


def scores_of(*values):
    """R@1 of both directions for the first trials."""
    return {
        trial.id: {"s2i_r1": value, "i2s_r1": 2 * value}
        for trial, value in zip(TRIALS, values, strict=False)
    }


def test_mean_and_sd_of_a_sample():
    one, other = mlflow_notes.cells(TRIALS, scores_of(10, 20, 30, 41))
    assert (one.label, one.seeds, one.planned) == ("gamma=1", 3, 3)
    assert (one.mean["s2i_r1"], one.sd["s2i_r1"]) == (20, pytest.approx(10))
    assert (one.mean["i2s_r1"], one.sd["i2s_r1"]) == (40, pytest.approx(20))
    assert (other.seeds, other.planned, other.sd) == (1, 3, {})
    assert (one.shown("s2i_r1"), other.shown("s2i_r1")) == ("20.0 ± 10.0", "41.0")


def test_numbers_are_in_their_order():
    """A plan's second stage comes behind its first."""
    levels = (1.0, 100.0, 10.0)
    trials = [Trial(BASE.replace(gamma=gamma), {"gamma": gamma}) for gamma in levels]
    found = mlflow_notes.cells(trials, {trial.id: {"s2i_r1": 1.0} for trial in trials})
    assert [cell.label for cell in found] == ["gamma=1", "gamma=10", "gamma=100"]


def test_a_cell_without_a_record_is_left_out():
    assert [cell.label for cell in mlflow_notes.cells(TRIALS, scores_of(1, 2))] == ["gamma=1"]
    assert mlflow_notes.cells(TRIALS, {}) == []


def test_metrics_have_names_that_mlflow_takes():
    from mlflow.utils.validation import _validate_metric_name

    values = mlflow_notes.metrics(mlflow_notes.cells(TRIALS, scores_of(10, 20, 30, 41)), "tones")
    assert values == {
        "gamma 1/test_s2i_r1_mean": 20, "gamma 1/test_s2i_r1_sd": pytest.approx(10),
        "gamma 1/test_i2s_r1_mean": 40, "gamma 1/test_i2s_r1_sd": pytest.approx(20),
        "gamma 13/test_s2i_r1_mean": 41, "gamma 13/test_i2s_r1_mean": 82,
    }  # fmt: skip
    odd = Trial(BASE, {"variant": "B3 = no (α)"})
    (name, *_) = mlflow_notes.metrics(mlflow_notes.cells([odd], {odd.id: {"s2i_r1": 1.0}}), "tones")
    assert name == "B3   no -α-/test_s2i_r1_mean"
    for each in (name, *values):
        _validate_metric_name(each)


def test_the_parent_says_question_answer_and_table():
    found = mlflow_notes.cells(TRIALS, scores_of(10, 20, 30, 41))
    note = mlflow_notes.of_parent("Which γ?", found, best="gamma=13", dataset="tones")
    assert note.splitlines() == [
        "**Which γ?** Best by the selection metric: **gamma=13** (R@1 speech→image 41.0, "
        "R@1 image→speech 82.0).",
        "",
        "|  | seeds | R@1 speech→image | R@1 image→speech |",
        "| --- | ---: | ---: | ---: |",
        "| gamma=1 | 3 of 3 | 20.0 ± 10.0 | 40.0 ± 20.0 |",
        "| **gamma=13** | 1 of 3 | 41.0 | 82.0 |",
        "",
        "Test split, percent; mean ± sd over seeds.",
    ]
    assert mlflow_notes.of_parent("Which γ?", [], best="", dataset="tones") == "Which γ?"


def test_the_table_in_full():
    found = mlflow_notes.cells(TRIALS, scores_of(10, 20, 30, 41))
    assert mlflow_notes.as_csv(found).splitlines() == [
        "cell,seeds,s2i_r1_mean,s2i_r1_sd,i2s_r1_mean,i2s_r1_sd",
        "gamma=1,3,20.0,10.0,40.0,20.0",
        "gamma=13,1,41.0,,82.0,",
    ]
