"""Findings of made records: pairs, baselines, effects, and what is not known."""

from dataclasses import replace

import numpy as np
import pytest

from benchmarks.simulated import _queries
from orchestrator.statistics import saying
from orchestrator.statistics.cells import cells_of
from orchestrator.statistics.findings import findings
from orchestrator.statistics.oracle import flattery
from orchestrator.statistics.power import TYPICAL, smallest, smallest_difference
from orchestrator.statistics.verdicts import Verdict
from orchestrator.storage import Storage
from search_spaces.designs import Factorial, Refine
from search_spaces.sweep import Sweep
from tests.orchestrator.report.recorded import asked

FACTORS = Sweep(
    name="attention_placement", question="?", source="",
    design=Factorial({"image_attention": ["B3", "none"], "speech_attention": [True, False]}),
)  # fmt: skip
CLASSES = 20


class Cut(Factorial):
    """A factorial of which the last cell is not run."""

    def plan(self, base, seeds, scores):
        found = super().plan(base, seeds, scores)
        return replace(found, trials=found.trials[: -len(seeds)])


@pytest.fixture
def storage(tmp_path):
    return Storage(str(tmp_path / "runs"))


def write(storage, trial, *, logit, classes=CLASSES, empty=False):
    """A record whose queries hit at this logit; test metrics are their means."""
    rng = np.random.default_rng(int(trial.id, 16))
    queries = _queries(rng, np.full(5 * classes, logit), classes)
    test = {f"{d}_r1": 100.0 * float(np.mean(queries[f"{d}_rank"] == 1)) for d in ("s2i", "i2s")}
    selection = {"split": "val", "epoch": 1, "value": sum(test.values())}
    record = {"trial_id": trial.id, "experiment": trial.experiment.to_dict(), "test": test,
              "selection": selection, "dropped": {}}  # fmt: skip
    storage.write_record(record, {} if empty else queries)


def filled(storage, question, logits, **how):
    for trial in question.plan(storage).trials:
        write(storage, trial, logit=logits.get(trial.cell, 0.0), **how)
    return question


def row(found, label):
    return next(each for each in found.rows if each.label == label)


def test_a_large_difference_is_better_a_small_one_is_not_shown(storage):
    question = asked("attention_placement", seeds=5)
    filled(storage, question, {"image_attention=none": -3.0, "image_attention=B4": 0.01})
    found = findings(question, storage)
    assert found.baseline == "image_attention=B3"
    assert found.rows[0].said == "baseline"
    assert not found.rows[0].differences
    worse = row(found, "image_attention=none")
    assert worse.verdict is Verdict.WORSE
    assert worse.differences["r1_sum"].high < 0
    assert row(found, "image_attention=B4").verdict is Verdict.NONE


def test_the_mean_is_that_of_the_records(storage):
    question = filled(storage, asked("attention_placement", seeds=5), {})
    found = findings(question, storage)
    tests = cells_of(question, storage)[0].tests.values()
    expected = np.mean([test["s2i_r1"] + test["i2s_r1"] for test in tests])
    mean = found.rows[0].means["r1_sum"]
    assert mean.value == pytest.approx(expected)
    assert mean.low < expected < mean.high


def test_four_seeds_decide_nothing(storage):
    question = filled(
        storage, asked("attention_placement", seeds=4), {"image_attention=none": -4.0}
    )
    worse = row(findings(question, storage), "image_attention=none")
    assert worse.verdict is Verdict.FEW
    assert worse.said.startswith("not enough data (1 more seed would show ±")


def test_only_shared_seeds_are_paired(storage):
    question = asked("attention_placement", seeds=6)
    for trial in question.plan(storage).trials:
        if not (trial.cell == "image_attention=none" and trial.experiment.seed == 5):
            write(storage, trial, logit=0.0)
    found = findings(question, storage)
    assert row(found, "image_attention=none").seeds == 5
    assert row(found, "image_attention=B4").seeds == 6


def test_records_without_queries_have_values_but_no_intervals(storage):
    question = filled(storage, asked("attention_placement", seeds=5), {}, empty=True)
    found = findings(question, storage)
    difference = row(found, "image_attention=none").differences["r1_sum"]
    assert difference.low is None
    assert row(found, "image_attention=none").said == "not enough data"


def test_other_queries_cannot_be_paired(storage):
    question = asked("attention_placement", seeds=5)
    for trial in question.plan(storage).trials:
        write(storage, trial, logit=0.0, classes=10 if "none" in trial.cell else 20)
    found = row(findings(question, storage), "image_attention=none")
    assert found.differences["r1_sum"].low is None
    assert found.means["r1_sum"].low is not None


def test_nothing_recorded_is_said(storage):
    found = findings(asked("attention_placement", seeds=5), storage)
    assert [each.said for each in found.rows] == ["baseline", "not enough data", "not enough data"]
    assert saying.lines(found) == []


def test_the_baseline_of_a_curve_is_what_validation_chose(storage):
    sweep = Sweep(name="gamma", question="?", source="", design=Refine("gamma", [1.0, 2.0, 3.0]))
    question = filled(storage, asked(sweep, seeds=2), {"gamma=2": 2.0})
    assert findings(question, storage).baseline == "gamma=2"


def test_effects_of_two_factors_have_intervals(storage):
    logits = {f"image_attention={a} speech_attention={b}": (1.5 if b == "on" else -1.5)
              for a in ("B3", "none") for b in ("on", "off")}  # fmt: skip
    question = filled(storage, asked(FACTORS, seeds=5), logits)
    found = {tuple(e.levels.items()): e for e in findings(question, storage).effects}
    on = found[("speech_attention", True),]
    assert on.estimates["r1_sum"].low > 0
    assert on.p_holm <= 0.05
    off = found[("speech_attention", False),]
    assert off.estimates["r1_sum"].value == pytest.approx(-on.estimates["r1_sum"].value)
    assert off.p_holm is None  # it follows from the other level
    assert len(found) == 8  # 2 + 2 main effects, 4 interactions
    crossed = found[("image_attention", "B3"), ("speech_attention", True)].estimates["r1_sum"]
    assert crossed.low < 0 < crossed.high


def test_cells_that_a_budget_left_out_leave_no_effects(storage):
    question = asked(FACTORS, seeds=5)
    kept = replace(question, sweep=replace(FACTORS, design=Cut(FACTORS.design.factors)))
    filled(storage, kept, {})
    assert findings(kept, storage).effects == []


def test_power_is_of_the_records_or_assumed(storage):
    question = asked("attention_placement", seeds=5)
    # the data set of these tests has two test classes
    before = smallest(question, storage)
    assert before.assumed
    assert before.points == pytest.approx(
        smallest_difference(TYPICAL, seeds=5, classes=2, comparisons=2)
    )
    assert smallest(asked("attention_placement", seeds=2), storage).points == before.points
    filled(storage, question, {})
    assert not smallest(question, storage).assumed


def test_flattery_is_the_difference_of_the_two_choices(storage):
    question = filled(storage, asked("attention_placement", seeds=3), {})
    assert flattery(question, storage) is None
    oracle = asked("attention_placement", seeds=3, selection="test")
    filled(
        storage, oracle, dict.fromkeys((f"image_attention={a}" for a in ("B3", "B4", "none")), 3)
    )
    found = flattery(question, storage)
    assert found.low > 20
    assert found.low < found.value < found.high
    assert findings(oracle, storage).oracle


def test_lines_for_the_terminal(storage):
    question = filled(
        storage, asked("attention_placement", seeds=5), {"image_attention=none": -3.0}
    )
    found = findings(question, storage)
    head, none, _ = saying.lines(found)
    assert head == "R@1 sum on the test split, against image_attention=B3:"
    assert none.split()[0] == "image_attention=none"
    assert none.endswith(" (Holm): worse")
    (_, as_none, _) = saying.as_dict(found)["rows"]
    assert as_none["verdict"] == "worse"
    assert as_none["difference"]["high"] < 0
