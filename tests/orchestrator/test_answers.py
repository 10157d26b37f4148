"""The answer, from hand-made records: means over seeds, the best, the oracle."""

import pytest
from matplotlib.figure import Figure

from data_shards.manifest import ClassCount, Data, Manifest, Shard, Split
from orchestrator.answers import answer, as_dict, plot_curve, sentence
from orchestrator.planning import ask
from orchestrator.storage import Storage
from search_spaces.sweep import load
from trainables.presets import PRESETS

METRICS = [
    f"{direction}_{name}"
    for direction in ("s2i", "i2s")
    for name in ("r1", "r5", "r10", "medr", "map50", "map50_hits", "map50_thesis", "chance")
]


def _two(number):
    """Two classes of a split."""
    return [ClassCount(2 * number + i, "a", 50, 50) for i in range(2)]


def _question(name, *, seeds=2, **settings):
    splits = {
        split: Split(_two(number), [Shard(f"{split}.tar", 100, 100, "0" * 64)])
        for number, split in enumerate(("train", "val", "test"))
    }
    data = Data("nowhere", Manifest("drawn", "", {}, {}, splits))
    return ask(load(name), preset=PRESETS["demo"], settings=settings, seeds=seeds, data=data)


def _record(storage, trial, score, r1=20.0):
    test = dict.fromkeys(METRICS, 5.0) | {"s2i_r1": r1, "i2s_r1": r1}
    selection = {"value": score, "epoch": 3, "split": trial.experiment.selection}
    record = {"trial_id": trial.id, "selection": selection, "test": test, "dropped": {"val": 1}}
    storage.write_record(record, {})


def _loss(storage, scores):
    """Records of the loss sweep: (loss, seed) → score."""
    question = _question("loss")
    for trial in question.plan(storage).trials:
        key = (trial.varies["loss"], trial.experiment.seed)
        if key in scores:
            _record(storage, trial, scores[key], r1=scores[key] / 4)
    return question


def test_the_best_cell_has_the_highest_mean_over_seeds(tmp_path):
    storage = Storage(str(tmp_path))
    scores = {("matching", 0): 100.0, ("matching", 1): 20.0, ("triplet", 0): 70.0,
              ("triplet", 1): 60.0}  # fmt: skip
    found = answer(_loss(storage, scores), storage)
    assert [row.selection for row in found.rows] == [60.0, 65.0]
    assert found.best.label == "loss=triplet"
    assert sentence(found) == (
        "best: loss=triplet — test R@1 speech→image 16.2 % (3.2× chance, 5.0 %), "
        "R@1 image→speech 16.2 % (3.2× chance, 5.0 %)"
    )
    assert found.rows[0].dropped == 2
    assert as_dict(found)["best"]["varies"] == {"loss": "triplet"}


def test_a_cell_that_lacks_a_seed_is_no_rival(tmp_path):
    storage = Storage(str(tmp_path))
    scores = {("matching", 0): 100.0, ("triplet", 0): 70.0, ("triplet", 1): 60.0}
    assert answer(_loss(storage, scores), storage).best.label == "loss=triplet"


def test_without_records_there_is_no_answer_and_rows_are_missing_never_zero(tmp_path):
    storage = Storage(str(tmp_path))
    question = _loss(storage, {})
    found = answer(question, storage)
    assert found.best is None
    assert sentence(found).startswith("No answer yet")
    assert [(row.seeds, row.selection, row.test) for row in found.rows] == [(0, None, {})] * 2


def test_a_choice_on_the_test_split_is_labelled_oracle(tmp_path):
    storage, question = Storage(str(tmp_path)), _question("baseline", seeds=1, selection="test")
    _record(storage, question.plan(storage).trials[0], 40.0)
    assert "[oracle: chosen on the test split]" in sentence(answer(question, storage))


def test_the_curve_is_a_picture(tmp_path):
    storage, question = Storage(str(tmp_path)), _question("gamma", seeds=1)
    for trial in question.plan(storage).trials:
        _record(storage, trial, score=100 - trial.varies["gamma"])
    found = answer(question, storage)
    assert found.best.varies == {"gamma": 1.0}
    plot_curve(found, tmp_path / "curve.png")
    assert (tmp_path / "curve.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("gamma", [5.0, 7.0])
def test_the_matching_arm_of_the_loss_sweep_keeps_a_gamma_that_was_set(gamma):
    question = _question("loss", seeds=1, gamma=str(gamma))
    trials = question.plan(Storage("/nonexistent")).trials
    assert [getattr(t.experiment.loss, "gamma", None) for t in trials] == [gamma, None]


def test_the_curve_has_both_directions_and_their_sum(tmp_path, monkeypatch):
    """Figures 5.1 and 5.2 of the thesis have the three lines in one picture."""
    drawn = []
    monkeypatch.setattr(Figure, "savefig", lambda figure, *_, **__: drawn.append(figure))
    storage, question = Storage(str(tmp_path)), _question("gamma", seeds=1)
    for trial in question.plan(storage).trials:
        _record(storage, trial, score=50, r1=trial.varies["gamma"] / 10)
    plot_curve(answer(question, storage), tmp_path / "curve.png")
    left = drawn[0].axes[0]
    lines = {line.get_label(): list(line.get_ydata()) for line in left.get_lines()}
    assert lines["speech→image"][:2] == [0.1, 0.5]
    assert lines["sum of both"][:2] == [0.2, 1.0]
