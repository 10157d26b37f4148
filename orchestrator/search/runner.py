"""Rounds of Ray Tune until the study has its trials, or its time is up."""

import math
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from ray import tune

from data_shards.manifest import Data
from orchestrator.cluster import (
    alive,
    blame_lost_nodes,
    check_fits,
    connect,
    fitted,
    most_cpus,
)
from orchestrator.failures import SILENT, Failure
from orchestrator.relay import Relay, Watcher
from orchestrator.resources import Resources
from orchestrator.search.scheduling import StudyScheduler, StudySearcher
from orchestrator.search.study import FAIL, Study
from orchestrator.storage import Storage
from orchestrator.trainable import TrialRun
from orchestrator.tries import Tries
from orchestrator.tuner_settings import request, round_folder, run_config, trial_config
from orchestrator.visibility import check_visible
from search_spaces.designs import Trial


@dataclass
class SearchRunner:
    """Runs a study up to `trials` trials in all.

    When the time is up, trials under way are stopped; they stay unfinished in the books, and the
    next command continues them from their last epoch. Whether a trial that failed is tried again
    in the next round, and with what, says `tries.py`.
    """

    study: Study
    trials: int
    seconds: float | None
    data: Data
    storage: Storage
    resources: Resources
    max_failures: int
    watchers: Sequence[Watcher] = ()
    failures: dict[str, Failure] = field(default_factory=dict)
    """Why each trial failed last."""

    @cached_property
    def _tries(self) -> Tries:
        return Tries(self.max_failures)

    def run(self) -> None:
        """Run rounds until nothing is left to do.

        Raises:
            UsageError: no cluster is there, no node is large enough for a trial, or one does not
                see storage or data.
        """
        if self._left():
            connect()
            check_visible(storage=self.storage, data=self.data)
        # the clock runs once Ray is up: a slow start is no search
        deadline = time.monotonic() + (math.inf if self.seconds is None else self.seconds)
        while self._left() and (seconds := deadline - time.monotonic()) > 0:
            nodes = alive()
            self._round(None if seconds == math.inf else seconds)
            blame_lost_nodes(self.failures, nodes)
            if time.monotonic() < deadline:
                self._count_tries()

    def _left(self) -> int:
        """How many trials are still to be run, those under way included."""
        new = max(0, self.trials - len(self.study.books))
        return len(self.study.unfinished) + new

    def _count_tries(self) -> None:
        """Whatever is unfinished after a whole round has lost its process."""
        nodes = alive()
        for number in self.study.unfinished:
            trial_id = self.study.trial(number).id
            failure, had = self.failures.get(trial_id, SILENT), self._resources(trial_id)
            most = most_cpus(nodes, gpus=had.gpus)
            self._tries.count(trial_id, failure, had=had, most_cpus=most)
            if not self._tries.left(trial_id):
                self.study.end(number, FAIL, reason=failure.text)

    def _resources(self, trial_id: str) -> Resources:
        return fitted(self._tries.resources(trial_id, self.resources))

    def _config(self, trial: Trial) -> dict[str, Any]:
        where: dict[str, Any] = {"data": self.data, "storage": self.storage}
        return trial_config(trial, resources=self._resources(trial.id), **where)

    def _round(self, seconds: float | None) -> None:
        check_fits(self.resources)
        self.failures.clear()
        # a searcher has one trial pending at a time, unless it is told how many run at once
        os.environ["TUNE_MAX_PENDING_TRIALS_PG"] = str(self.resources.max_concurrent or 1)
        with round_folder() as folder:
            tune.Tuner(
                tune.with_resources(TrialRun, request),
                tune_config=tune.TuneConfig(
                    num_samples=self._left(),
                    search_alg=StudySearcher(self.study, trials=self.trials, config=self._config),
                    scheduler=StudyScheduler(self.study),
                    time_budget_s=seconds,
                    reuse_actors=True,
                    max_concurrent_trials=self.resources.max_concurrent or None,
                    trial_dirname_creator=lambda trial: trial.trial_id,
                ),
                run_config=run_config(folder, Relay(self.watchers, self.failures)),
            ).fit()
