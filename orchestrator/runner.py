"""Rounds of Ray Tune until the plan has nothing left to run."""

import dataclasses
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property

from ray import tune

from data_shards.errors import DataError
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
from orchestrator.gpu_packing import Packer
from orchestrator.planning import Question
from orchestrator.relay import Relay, Watcher
from orchestrator.resources import Resources
from orchestrator.storage import Storage
from orchestrator.trainable import TrialRun
from orchestrator.tries import Tries, keep
from orchestrator.tuner_settings import (
    Configs,
    request,
    round_folder,
    run_config,
    trial_config,
)
from orchestrator.visibility import check_visible
from search_spaces.designs import Trial

Work = tuple[Trial, Resources]
"""A trial to run, and what it gets."""


@dataclass
class Runner:
    """Runs a question's missing trials.

    A trial that fails does not stop the others; whether it is tried again in the next round, and
    with what, says `tries.py`.
    """

    question: Question
    data: Data
    storage: Storage
    resources: Resources
    max_failures: int = 1
    watchers: Sequence[Watcher] = ()
    failures: dict[str, Failure] = field(default_factory=dict)
    """Why each trial without a record failed last."""
    _warned: bool = False

    @cached_property
    def _tries(self) -> Tries:
        return Tries(self.max_failures)

    @cached_property
    def _packer(self) -> Packer:
        return Packer(self.storage)

    def run(self) -> None:
        """Run rounds until every trial is recorded or has used up its tries.

        Raises:
            UsageError: no cluster is there, no node is large enough for a trial, or one does not
                see storage or data.
        """
        work = self._work()
        if work:
            connect()
            check_fits(self.resources)
            check_visible(storage=self.storage, data=self.data)
        while work:
            self._round(work)
            work = self._work()

    def _work(self) -> list[Work]:
        """The trials to run next, each with what it gets."""
        plan = self.question.plan(self.storage)
        recorded = self.storage.record_ids() & {trial.id for trial in plan.trials}
        for trial_id in recorded & self.storage.checkpoint_ids():
            with suppress(OSError, DataError):  # a disk that is read-only by now
                self.storage.remove_checkpoints(trial_id)  # of a kill right behind the record
        for watcher in self.watchers:
            watcher.planned(plan.trials, plan.undecided)
        left = [t for t in plan.trials if t.id not in recorded and self._tries.left(t.id)]
        asked = self._asked([trial.id for trial in left], recorded)
        return [(t, self._tries.resources(t.id, asked[t.id])) for t in left if t.id in asked]

    def _asked(self, left: list[str], recorded: set[str]) -> dict[str, Resources]:
        """What each trial would get at its first try; packed, some may have to wait."""
        if not self.resources.packed:
            return dict.fromkeys(left, self.resources)
        shares = self._packer.shares(left, recorded)
        return {t: dataclasses.replace(self.resources, gpus_per_trial=shares[t]) for t in shares}

    def _round(self, work: list[Work]) -> None:
        check_fits(self.resources)
        nodes, work = alive(), [(trial, fitted(gets)) for trial, gets in work]
        for trial, gets in work:
            self.failures.pop(trial.id, None)
            if more := self._tries.more(trial.id, gets):
                print(f"{trial.name}: again, with {more}", file=sys.stderr)
        with round_folder() as folder:
            self._tuner(work, folder).fit()
        blame_lost_nodes(self.failures, nodes)
        recorded, nodes = self.storage.record_ids(), alive()
        failed_before = self.storage.failure_ids()
        for trial, had in work:
            if trial.id in recorded:
                self.failures.pop(trial.id, None)
                if trial.id in failed_before:
                    with suppress(OSError, DataError):  # the record outweighs it
                        self.storage.remove_failure(trial.id)
                self._warn_if_on_cpu(trial, had.gpus)
                continue
            failure = self.failures.setdefault(trial.id, SILENT)
            most = most_cpus(nodes, gpus=had.gpus)
            self._tries.count(trial.id, failure, had=had, most_cpus=most)
            keep(self.storage, trial.id, failure)

    def _warn_if_on_cpu(self, trial: Trial, gpus: float) -> None:
        """Once: a wrong PyTorch or driver would else make a GPU sweep a slow one without a word."""
        if self._warned or gpus == 0:
            return
        record = self.storage.record(trial.id)
        if record and record["environment"]["device"] == "cpu":
            self._warned = True
            print(
                f"warning: trial {trial.id} had a share of a GPU, but PyTorch found none on its "
                "node and trained on the CPU: see that node's CUDA and PyTorch.",
                file=sys.stderr,
            )

    def _tuner(self, work: list[Work], folder: str) -> tune.Tuner:
        configs = Configs(
            trial_config(
                trial, data=self.data, storage=self.storage, resources=resources
            )
            for trial, resources in work
        )  # fmt: skip
        return tune.Tuner(
            tune.with_resources(TrialRun, request),
            param_space={"trial": tune.grid_search(configs)},
            tune_config=tune.TuneConfig(
                reuse_actors=True,
                max_concurrent_trials=self.resources.max_concurrent or None,
                trial_dirname_creator=lambda trial: trial.trial_id,
            ),
            run_config=run_config(folder, Relay(self.watchers, self.failures)),
        )
