"""ASHA: worked by hand, and against Optuna's own on random curves."""

import numpy as np
import optuna
import pytest

from orchestrator.search.pruners import Asha, make, rungs
from orchestrator.search.question import PRUNERS, default_min_epochs

optuna.logging.set_verbosity(optuna.logging.WARNING)


@pytest.mark.parametrize(
    ("min_epochs", "epochs", "found"),
    [(1, 10, [1, 3]), (1, 9, [1, 3]), (1, 8, [1]), (2, 120, [2, 6, 18]), (1, 2, []), (9, 10, [])],
)
def test_rungs(min_epochs, epochs, found):
    assert rungs(min_epochs=min_epochs, epochs=epochs) == found


def _run(pruner, curves):
    """Epochs that each of these curves is given, one after the other."""
    study = optuna.create_study(direction="maximize", pruner=pruner)
    return [_epochs(study.ask(), curve) for curve in curves]


def _epochs(trial, curve):
    for epoch, value in enumerate(curve, start=1):
        trial.report(value, epoch)
        if trial.should_prune():
            return epoch
    return len(curve)


def test_by_hand():
    """Rungs at 1 and 3. First: alone. 2nd: worse. 3rd: best of 3. 4th: 2nd of 4, 1 goes on."""
    curves = [[5] * 9, [4] * 9, [6] * 9, [5.5] * 9, [7, 7, 5, 5, 5, 5, 5, 5, 5]]
    assert _run(Asha(min_epochs=1, epochs=9), curves) == [9, 1, 9, 1, 3]


def test_it_decides_as_optunas_own():
    curves = np.random.default_rng(0).normal(size=(60, 20)).cumsum(axis=1).round(1).tolist()
    own = optuna.pruners.SuccessiveHalvingPruner(min_resource=1, reduction_factor=3)
    epochs = _run(Asha(min_epochs=1, epochs=27), curves)  # rungs 1, 3, 9
    assert epochs == _run(own, curves)
    assert {1, 3, 9, 20} == set(epochs)


@pytest.mark.parametrize("name", PRUNERS)
def test_every_pruner_lets_the_first_and_the_best_finish(name):
    curves = [[1.0] * 9, [0.5] * 9, [2.0] * 9]
    found = _run(make(name, min_epochs=1, epochs=9), curves)
    assert (found[0], found[2]) == (9, 9)
    assert found[1] == (9 if name == "none" else 1)


@pytest.mark.parametrize(
    ("epochs", "begins"), [(1, 1), (2, 1), (5, 1), (6, 2), (9, 3), (10, 3), (120, 3)]
)
def test_early_stopping_begins_late_enough_to_rank_and_early_enough_to_save(epochs, begins):
    assert default_min_epochs(epochs) == begins
    assert rungs(min_epochs=begins, epochs=epochs) or epochs < 3
