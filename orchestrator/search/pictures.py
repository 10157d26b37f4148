"""Optuna's pictures of a study, as PNG files."""

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import optuna
from matplotlib import pyplot
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter
from optuna.visualization import matplotlib as optuna_plots

TARGET = "R@1 sum, validation"
FEWEST = 8
"""Full trials from which importance, and a landscape between the points, can be drawn."""
_WIDE = (12.0, 5.0)


def draw(study: optuna.Study, out: Path) -> dict[str, Path]:
    """History, importance, slice, contour and parallel coordinates of the full trials.

    Args:
        out: start of the files' names, e.g. `report/tune-abc` → `report/tune-abc-history.png`.

    Returns:
        The files by what they show; a picture that needs more trials or fields than there are is
        left out.
    """
    warnings.filterwarnings("ignore", category=optuna.exceptions.ExperimentalWarning)
    pyplot.switch_backend("agg")  # no display
    found = {}
    for name, plot in _PLOTS.items():
        path = out.with_name(f"{out.name}-{name}.png")
        path.unlink(missing_ok=True)  # of an earlier report, which may not hold any more
        enough = importance(study) if plot in (_importance, _contour) else _differ(study)
        if enough:
            _save(plot, study, path)
            found[name] = path
    return found


def importance(study: optuna.Study) -> dict[str, float]:
    """Share of the score's variance that each field explains (fANOVA); empty if unknown.

    Fewer than `FEWEST` full trials, or trials that are all equal, say nothing.
    """
    if len(_complete(study)) < FEWEST or not _differ(study):
        return {}
    evaluator = optuna.importance.FanovaImportanceEvaluator(seed=0)
    return optuna.importance.get_param_importances(study, evaluator=evaluator)


def _complete(study: optuna.Study) -> list[optuna.trial.FrozenTrial]:
    return study.get_trials(deepcopy=False, states=(optuna.trial.TrialState.COMPLETE,))


def _differ(study: optuna.Study) -> bool:
    return len({trial.value for trial in _complete(study)}) > 1


def _save(plot: Callable[[optuna.Study], Any], study: optuna.Study, path: Path) -> None:
    plot(study)
    figure: Figure = pyplot.gcf()
    figure.set_size_inches(*_WIDE)
    figure.savefig(path, dpi=120, bbox_inches="tight")
    pyplot.close("all")


def _history(study: optuna.Study) -> Any:
    return optuna_plots.plot_optimization_history(study, target_name=TARGET)


def _importance(study: optuna.Study) -> Any:
    evaluator = optuna.importance.FanovaImportanceEvaluator(seed=0)
    return optuna_plots.plot_param_importances(study, evaluator=evaluator, target_name=TARGET)


def _slice(study: optuna.Study) -> Any:
    axes = optuna_plots.plot_slice(study, target_name=TARGET)
    for each in np.ravel(np.asarray(axes)):
        _recolour(each)
        if each.get_xscale() == "log":
            each.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
            each.xaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
            each.xaxis.set_minor_formatter(NullFormatter())
            each.tick_params("x", rotation=60)
    return axes


def _contour(study: optuna.Study) -> Any:
    """Of the two fields that matter most: all pairs would be too small to read."""
    names = list(importance(study))[:2]
    return optuna_plots.plot_contour(study, params=names, target_name=TARGET)


def _parallel(study: optuna.Study) -> Any:
    axes = optuna_plots.plot_parallel_coordinate(study, target_name=TARGET)
    _recolour(axes)
    return axes


def _recolour(axes: Any) -> None:
    """Optuna's scale ends in white, which hides trials on a light ground."""
    for drawn in axes.collections:
        drawn.set_cmap("viridis_r")


def _epochs(study: optuna.Study) -> Any:
    """Of every trial, those stopped early too."""
    axes = optuna_plots.plot_intermediate_values(study)
    axes.set(title="Best so far", xlabel="epoch", ylabel=TARGET)
    if legend := axes.get_legend():
        legend.remove()
    return axes


_PLOTS: dict[str, Callable[[optuna.Study], Any]] = {
    "history": _history,
    "importance": _importance,
    "slice": _slice,
    "contour": _contour,
    "parallel": _parallel,
    "epochs": _epochs,
}
