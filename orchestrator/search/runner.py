"""Rounds of Ray Tune until the study has its trials, or its time is up."""

import math
import os
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial

from ray import tune

from data_shards.manifest import Data
from orchestrator.cluster import alive, blame_lost_nodes, check_fits, connect
from orchestrator.failures import Tries
from orchestrator.relay import Relay, Watcher
from orchestrator.resources import Resources
from orchestrator.search.scheduling import StudyScheduler, StudySearcher
from orchestrator.search.study import FAIL, Study
from orchestrator.storage import Storage
from orchestrator.trainable import TrialRun
from orchestrator.tuner_settings import run_config, trial_config
from orchestrator.visibility import check_visible


@dataclass
class SearchRunner:
    """Runs a study up to `trials` trials in all.

    When the time is up, trials under way are stopped; they stay unfinished in the books, and the
    next command continues them from their last epoch. One whose process died is tried again in
    the next round, up to `max_failures` times; a lost node does not count.
    """

    study: Study
    trials: int
    seconds: float | None
    data: Data
    storage: Storage
    resources: Resources
    max_failures: int
    watchers: Sequence[Watcher] = ()
    failures: dict[str, str] = field(default_factory=dict)
    """Reason of the last failure of each trial."""

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
            self._round(None if seconds == math.inf else seconds)
            if time.monotonic() < deadline:
                self._count_tries()

    def _left(self) -> int:
        """How many trials are still to be run, those under way included."""
        new = max(0, self.trials - len(self.study.books))
        return len(self.study.unfinished) + new

    def _count_tries(self) -> None:
        """Whatever is unfinished after a whole round has lost its process."""
        for number in self.study.unfinished:
            trial_id = self.study.trial(number).id
            reason = self.failures.get(trial_id, "it did not end")
            self._tries.count(trial_id, reason)
            if not self._tries.left(trial_id):
                self.study.end(number, FAIL, reason=reason)

    def _round(self, seconds: float | None) -> None:
        config = partial(
            trial_config, data=self.data, storage=self.storage, resources=self.resources
        )
        check_fits(self.resources)
        nodes = alive()
        self.failures.clear()
        # a searcher has one trial pending at a time, unless it is told how many run at once
        os.environ["TUNE_MAX_PENDING_TRIALS_PG"] = str(self.resources.max_concurrent or 1)
        with tempfile.TemporaryDirectory(prefix="vfsel-tune-") as folder:
            tune.Tuner(
                tune.with_resources(TrialRun, self.resources.request),
                tune_config=tune.TuneConfig(
                    num_samples=self._left(),
                    search_alg=StudySearcher(self.study, trials=self.trials, config=config),
                    scheduler=StudyScheduler(self.study),
                    time_budget_s=seconds,
                    reuse_actors=True,
                    max_concurrent_trials=self.resources.max_concurrent or None,
                    trial_dirname_creator=lambda trial: trial.trial_id,
                ),
                run_config=run_config(folder, Relay(self.watchers, self.failures)),
            ).fit()
        blame_lost_nodes(self.failures, nodes)
