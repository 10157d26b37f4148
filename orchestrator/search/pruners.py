"""Early stopping by name: which trial goes on at a rung."""

from collections.abc import Callable

import optuna
from optuna.trial import FrozenTrial

REDUCTION = 3
"""The best third of a rung goes on."""


class Asha(optuna.pruners.BasePruner):
    """Asynchronous successive halving (Li et al. 2020), stopping variant, maximising.

    Rungs stand at `min_epochs` × 3ⁱ epochs. A trial that reaches one goes on if it is in the best
    third of those that have reached it so far. Decides as Optuna's `SuccessiveHalvingPruner` does,
    but from the reported values alone: that one's memory is in private attributes of the study,
    which a study rebuilt from our books does not have.
    """

    def __init__(self, *, min_epochs: int, epochs: int) -> None:
        self._rungs = rungs(min_epochs=min_epochs, epochs=epochs)

    def prune(self, study: optuna.Study, trial: FrozenTrial) -> bool:
        """Whether the trial is to be stopped after its last reported epoch."""
        step = trial.last_step
        if step not in self._rungs:
            return False
        peers = [t.intermediate_values for t in study.get_trials(deepcopy=False)]
        values = sorted((peer[step] for peer in peers if step in peer), reverse=True)
        going_on = max(1, len(values) // REDUCTION)
        return trial.intermediate_values[step] < values[going_on - 1]


def rungs(*, min_epochs: int, epochs: int) -> list[int]:
    """Epochs after which trials may be stopped: up to a third of a full trial, as in the paper."""
    found = []
    while min_epochs * REDUCTION <= epochs:
        found.append(min_epochs)
        min_epochs *= REDUCTION
    return found


def make(name: str, *, min_epochs: int, epochs: int) -> optuna.pruners.BasePruner:
    """The pruner of that name."""
    return _MAKERS[name](min_epochs, epochs)


_MAKERS: dict[str, Callable[[int, int], optuna.pruners.BasePruner]] = {
    "asha": lambda min_epochs, epochs: Asha(min_epochs=min_epochs, epochs=epochs),
    "none": lambda min_epochs, epochs: optuna.pruners.NopPruner(),
}
