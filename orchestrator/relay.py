"""From Ray Tune's events to those who watch: the live table, the tracker."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

from ray import tune

from orchestrator.failures import Failure, classify
from search_spaces.designs import Trial


class Watcher(Protocol):
    """Somebody who is told what happens to trials (the live table, the tracker)."""

    def planned(self, trials: Sequence[Trial], undecided: str) -> None:
        """The plan as it stands; told again when it grows."""

    def started(self, trial_id: str) -> None:
        """A trial runs."""

    def reported(self, trial_id: str, report: dict[str, Any]) -> None:
        """A trial ended an epoch."""

    def ended(self, trial_id: str, failure: str) -> None:
        """A trial has its record, or failed for this round with a reason."""


class Relay(tune.Callback):  # type: ignore[misc]  # Ray is untyped
    """Passes Tune's events on to the watchers, in terms of our trial ids."""

    def __init__(self, watchers: Sequence[Watcher], failures: dict[str, Failure]) -> None:
        self._watchers = watchers
        self._failures = failures

    def __getstate__(self) -> dict[str, Any]:
        """Tune pickles its callbacks to restore them; we never restore, and watchers have locks."""
        return {}

    def on_trial_start(self, iteration: int, trials: list[Any], trial: Any, **info: Any) -> None:
        for watcher in self._watchers:
            watcher.started(_id(trial))

    def on_trial_result(
        self, iteration: int, trials: list[Any], trial: Any, result: dict[str, Any], **info: Any
    ) -> None:
        if "metrics" not in result:
            return
        for watcher in self._watchers:
            watcher.reported(_id(trial), result)

    def on_trial_complete(self, iteration: int, trials: list[Any], trial: Any, **info: Any) -> None:
        self._ended(trial, "")

    def on_trial_error(self, iteration: int, trials: list[Any], trial: Any, **info: Any) -> None:
        failure = failure_of(trial)
        self._failures[_id(trial)] = failure
        self._ended(trial, failure.reason)

    def _ended(self, trial: Any, failure: str) -> None:
        for watcher in self._watchers:
            watcher.ended(_id(trial), failure)


def _id(trial: Any) -> str:
    return str(trial.config["trial"]["trial_id"])


def failure_of(trial: Any) -> Failure:
    """Why a trial of Tune's failed."""
    return classify(Path(trial.error_file).read_text())
