"""Optuna's samplers by name. A new one for every trial, seeded by the study's seed and the
trial's number: what is suggested depends on the results so far alone, not on this process' past.
"""

import importlib.util
from collections.abc import Callable, Sequence
from typing import Any

import optuna
from optuna.distributions import BaseDistribution, FloatDistribution
from optuna.trial import FrozenTrial, TrialState, create_trial

from data_shards import draws
from data_shards.errors import UsageError

Past = Sequence[FrozenTrial]
_BEFORE_GP = 5  # full trials at random
_FEWEST_TO_WARM_START = 10  # the distribution is that of the best tenth


def check_installed(name: str) -> None:
    """Before anything starts.

    Raises:
        UsageError: the sampler's package is not installed.
    """
    if name == "cmaes" and importlib.util.find_spec("cmaes") is None:
        raise UsageError("--sampler cmaes needs a package: pip install cmaes.")


def make(name: str, *, seed: int, number: int, past: Past) -> optuna.samplers.BaseSampler:
    """The sampler that suggests trial `number`.

    Args:
        past: trials that an earlier process finished.
    """
    return Distinct(_MAKERS[name](draws.key(seed, "sampler", number) % 2**32, past))


class Distinct(optuna.samplers.BaseSampler):
    """Another sampler, but no point twice: what would be, is drawn at random instead.

    A Gaussian process that is sure of its best point suggests it again and again, also while it
    is being trained; the same point is the same experiment and would find the same.
    """

    def __init__(self, inner: optuna.samplers.BaseSampler) -> None:
        self._inner = inner

    def infer_relative_search_space(
        self, study: optuna.Study, trial: FrozenTrial
    ) -> dict[str, BaseDistribution]:
        """As the other."""
        return self._inner.infer_relative_search_space(study, trial)

    def sample_relative(
        self, study: optuna.Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        """As the other; nothing for a known point: then each field is drawn by itself."""
        found = self._inner.sample_relative(study, trial, search_space)
        known = (other.params.items() for other in study.get_trials(deepcopy=False))
        return {} if found and any(found.items() <= point for point in known) else found

    def sample_independent(
        self,
        study: optuna.Study,
        trial: FrozenTrial,
        param_name: str,
        param_distribution: BaseDistribution,
    ) -> Any:
        """As the other."""
        return self._inner.sample_independent(study, trial, param_name, param_distribution)

    def before_trial(self, study: optuna.Study, trial: FrozenTrial) -> None:
        """As the other."""
        self._inner.before_trial(study, trial)

    def after_trial(
        self,
        study: optuna.Study,
        trial: FrozenTrial,
        state: TrialState,
        values: Sequence[float] | None,
    ) -> None:
        """As the other."""
        self._inner.after_trial(study, trial, state, values)


def _tpe(seed: int, past: Past) -> optuna.samplers.BaseSampler:
    """Running trials count as bad ones, so that parallel suggestions differ."""
    return optuna.samplers.TPESampler(seed=seed, constant_liar=True)


def _random(seed: int, past: Past) -> optuna.samplers.BaseSampler:
    return optuna.samplers.RandomSampler(seed=seed)


def _gp(seed: int, past: Past) -> optuna.samplers.BaseSampler:
    """Learns from full trials alone: best without early stopping."""
    return optuna.samplers.GPSampler(seed=seed, n_startup_trials=_BEFORE_GP)


def _cmaes(seed: int, past: Past) -> optuna.samplers.BaseSampler:
    """Optuna keeps CMA-ES's state as a pickle in the study. Ours is not stored, for safety: after
    a restart the distribution is estimated from the best of the past (Nomura et al. 2021).
    """
    source = [_numbers_only(trial) for trial in past if trial.state == TrialState.COMPLETE]
    return optuna.samplers.CmaEsSampler(
        seed=seed,
        consider_pruned_trials=True,
        warn_independent_sampling=False,
        source_trials=source if len(source) >= _FEWEST_TO_WARM_START else None,
    )


def _numbers_only(trial: FrozenTrial) -> FrozenTrial:
    """CMA-ES knows no categories; those are drawn at random."""
    numbers = {k: d for k, d in trial.distributions.items() if isinstance(d, FloatDistribution)}
    return create_trial(
        value=trial.value,
        params={name: trial.params[name] for name in numbers},
        distributions=dict(numbers),
    )


_MAKERS: dict[str, Callable[[int, Past], optuna.samplers.BaseSampler]] = {
    "tpe": _tpe,
    "random": _random,
    "gp": _gp,
    "cmaes": _cmaes,
}
