"""Optuna's pictures of a study, as PNG."""

import io
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import optuna
from matplotlib import pyplot
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter
from optuna.visualization import matplotlib as optuna_plots

from orchestrator.report.drawing import Picture

TARGET = "R@1 sum, validation"
FEWEST = 8
"""Full trials from which importance, and a landscape between the points, can be drawn."""
_WIDE = (12.0, 5.0)


def draw(study: optuna.Study) -> list[Picture]:
    """History, importance, slice, contour and parallel coordinates of the full trials, and the
    epochs of all; a picture that needs more trials or fields than there are is left out."""
    warnings.filterwarnings("ignore", category=optuna.exceptions.ExperimentalWarning)
    pyplot.switch_backend("agg")  # no display
    if not _differ(study):
        return []
    known = bool(importance(study))
    names = [name for name in _PLOTS if known or name not in _NEED_IMPORTANCE]
    return [_picture(name, study) for name in names]


def _picture(name: str, study: optuna.Study) -> Picture:
    plot, caption = _PLOTS[name]
    best = study.best_trial
    of = f"{len(_complete(study))} full trials, the best of which reached {best.value:.1f}"
    return Picture(name, caption, f"{caption.rstrip('.')}; of {of}.", _png(plot, study))


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


def _png(plot: Callable[[optuna.Study], Any], study: optuna.Study) -> bytes:
    plot(study)
    figure: Figure = pyplot.gcf()
    figure.set_size_inches(*_WIDE)
    stream = io.BytesIO()
    figure.savefig(stream, format="png", dpi=120, bbox_inches="tight")
    pyplot.close("all")
    return stream.getvalue()


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


_PLOTS: dict[str, tuple[Callable[[optuna.Study], Any], str]] = {
    "history": (_history, "The score of each full trial, and the best so far."),
    "importance": (_importance, "How much of the score's variance each field explains (fANOVA)."),
    "slice": (_slice, "The score against each field alone; the later a trial, the darker."),
    "contour": (_contour, "The score over the two fields that matter most."),
    "parallel": (_parallel, "Each full trial as a line through its fields and its score."),
    "epochs": (_epochs, "The best score so far by epoch, of trials stopped early too."),
}
_NEED_IMPORTANCE = ("importance", "contour")
NAMES = tuple(_PLOTS)
