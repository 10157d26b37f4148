"""Rounds of Ray Tune until the plan has nothing left to run."""

import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ray import tune

from data_shards.manifest import Data
from orchestrator.cluster import check_fits, connect
from orchestrator.planning import Question, missing
from orchestrator.relay import Relay, Watcher
from orchestrator.resources import Resources
from orchestrator.storage import Storage
from orchestrator.trainable import TrialRun
from orchestrator.tuner_settings import run_config, trial_config
from search_spaces.designs import Trial


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
        configs = [
            trial_config(
                trial, data=self.data, storage=self.storage, cache=self.cache,
                resources=self.resources,
            )
            for trial in trials
        ]  # fmt: skip
        return tune.Tuner(
            tune.with_resources(TrialRun, self.resources.request),
            param_space={"trial": tune.grid_search(configs)},
            tune_config=tune.TuneConfig(
                reuse_actors=True,
                max_concurrent_trials=self.resources.max_concurrent or None,
                trial_dirname_creator=lambda trial: trial.trial_id,
            ),
            run_config=run_config(folder, Relay(self.watchers, self.failures)),
        )
