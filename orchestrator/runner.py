"""Rounds of Ray Tune until the plan has nothing left to run."""

import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from ray import tune

from data_shards import files
from data_shards.manifest import Data
from orchestrator.cluster import check_fits, connect
from orchestrator.failures import reason_of
from orchestrator.planning import Question, missing
from orchestrator.resources import Resources
from orchestrator.storage import Storage
from orchestrator.trainable import TrialRun
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


@dataclass
class Runner:
    """Runs a question's missing trials.

    A trial that fails does not stop the others; it is tried again in the next round, up to
    `max_failures` times (a round is a new Tuner: inside one, a retry cannot start clean).
    """

    question: Question
    data: Data
    storage: Storage
    cache: Path
    resources: Resources
    max_failures: int = 1
    watchers: Sequence[Watcher] = ()
    failures: dict[str, str] = field(default_factory=dict)
    """Reason of the last failure of each trial without a record."""
    _tries: Counter[str] = field(default_factory=Counter)

    def run(self) -> None:
        """Run rounds until every trial is recorded or has used up its tries.

        Raises:
            UsageError: no node is large enough for a trial.
        """
        while work := self._work():
            connect()
            check_fits(self.resources)
            self._round(work)

    def _work(self) -> list[Trial]:
        plan = self.question.plan(self.storage)
        recorded = self.storage.record_ids()
        for trial in plan.trials:
            if trial.id in recorded:  # a kill right behind the record leaves checkpoints
                self.storage.remove_checkpoints(trial.id)
        for watcher in self.watchers:
            watcher.planned(plan.trials, plan.undecided)
        return [t for t in missing(plan, self.storage) if self._tries[t.id] <= self.max_failures]

    def _round(self, trials: list[Trial]) -> None:
        names = {trial.id: trial for trial in trials}
        with tempfile.TemporaryDirectory(prefix="vfsel-tune-") as folder:
            self._tuner(trials, folder).fit()
        recorded = self.storage.record_ids()
        for trial_id in names:
            if trial_id in recorded:
                self.failures.pop(trial_id, None)
            else:
                self._tries[trial_id] += 1

    def _tuner(self, trials: list[Trial], folder: str) -> tune.Tuner:
        configs = [self._config(trial) for trial in trials]
        return tune.Tuner(
            tune.with_resources(TrialRun, self.resources.request),
            param_space={"trial": tune.grid_search(configs)},
            tune_config=tune.TuneConfig(
                reuse_actors=True,
                max_concurrent_trials=self.resources.max_concurrent or None,
                trial_dirname_creator=lambda trial: trial.trial_id,
            ),
            run_config=tune.RunConfig(
                name="round",
                storage_path=folder,
                verbose=0,
                callbacks=[_Relay(self)],
                failure_config=tune.FailureConfig(max_failures=0),
                checkpoint_config=tune.CheckpointConfig(checkpoint_at_end=False),
            ),
        )

    def _config(self, trial: Trial) -> dict[str, Any]:
        return {
            "trial_id": trial.id,
            "experiment": trial.experiment.to_dict(),
            "data": files.absolute(self.data.folder),
            "storage": files.absolute(self.storage.url),
            "cache": files.absolute(self.cache),
            "cpus": self.resources.cpus_per_trial,
            "gpus": self.resources.gpus_per_trial,
            "workers": self.resources.loader_workers,
        }


class _Relay(tune.Callback):  # type: ignore[misc]  # Ray is untyped
    """Passes Tune's events on to the watchers, in terms of our trial ids."""

    def __init__(self, runner: Runner) -> None:
        self._runner = runner

    def __getstate__(self) -> dict[str, Any]:
        """Tune pickles its callbacks to restore them; we never restore, and watchers have locks."""
        return {}

    def on_trial_start(self, iteration: int, trials: list[Any], trial: Any, **info: Any) -> None:
        for watcher in self._runner.watchers:
            watcher.started(_id(trial))

    def on_trial_result(
        self, iteration: int, trials: list[Any], trial: Any, result: dict[str, Any], **info: Any
    ) -> None:
        if "metrics" not in result:
            return
        for watcher in self._runner.watchers:
            watcher.reported(_id(trial), result)

    def on_trial_complete(self, iteration: int, trials: list[Any], trial: Any, **info: Any) -> None:
        self._ended(trial, "")

    def on_trial_error(self, iteration: int, trials: list[Any], trial: Any, **info: Any) -> None:
        reason = _reason(trial)
        self._runner.failures[_id(trial)] = reason
        self._ended(trial, reason)

    def _ended(self, trial: Any, failure: str) -> None:
        for watcher in self._runner.watchers:
            watcher.ended(_id(trial), failure)


def _id(trial: Any) -> str:
    return str(trial.config["trial"]["trial_id"])


def _reason(trial: Any) -> str:
    """The failure in one line: the error's own message, not the traceback through Ray."""
    return reason_of(Path(trial.error_file).read_text())
