"""Whether a trial that failed is tried again, and with what: the policy by class of failure.

A try is a round (a new Ray Tuner on what has no record), since inside one a trial's resources
cannot change. Nothing that determines a result is ever changed: not the batch, not the threads.

| class | tried again |
|---|---|
| out of GPU memory | with the next larger share, up to a whole GPU; free of charge |
| out of memory (Ray's monitor, the allocator) | with twice the CPUs reserved, up to a node's |
| node lost, node that cannot serve | free of charge, up to MOST_LOST times |
| process ended (killed, crashed), storage or network away | up to `max_failures` times |
| not finite, any other error of the program or the data | never: it would come again |
"""

import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field, replace

from data_shards.errors import DataError
from orchestrator.failures import Failure, Kind
from orchestrator.gpu_packing import next_share
from orchestrator.resources import Resources
from orchestrator.storage import Storage

MOST_LOST = 10  # a trial that takes its node down with it must not do so for ever
_LASTING = {Kind.ERROR, Kind.NOT_FINITE}


def is_lasting(kind: Kind) -> bool:
    """Whether another try would end the same way."""
    return kind in _LASTING


def keep(storage: Storage, trial_id: str, failure: Failure) -> None:
    """Have the storage know why a try failed.

    A storage that takes no files any more is said at the end; this one file is no reason to stop.
    """
    entry = failure.to_dict() | {"time": time.time()}
    with suppress(OSError, DataError):
        storage.write_failure(trial_id, entry)


@dataclass
class Tries:
    """How each trial was tried so far.

    Args:
        max_failures: how often a trial may fail of what can pass, beyond the first time.
    """

    max_failures: int
    _failed: Counter[str] = field(default_factory=Counter)
    _lost: Counter[str] = field(default_factory=Counter)
    _given_up: set[str] = field(default_factory=set)
    _gpus: dict[str, float] = field(default_factory=dict)
    _spare: dict[str, float] = field(default_factory=dict)

    def count(self, trial_id: str, failure: Failure, *, had: Resources, most_cpus: float) -> None:
        """A round has left the trial without a record.

        Args:
            had: what it ran with.
            most_cpus: CPUs of the largest node that could hold it.
        """
        if is_lasting(failure.kind):
            self._given_up.add(trial_id)
        elif failure.kind == Kind.GPU_MEMORY:
            self._enlarge_share(trial_id, had.gpus)
        elif failure.kind == Kind.NODE:
            self._lost[trial_id] += 1
        else:
            self._failed[trial_id] += 1
            if failure.kind == Kind.MEMORY:
                self._make_room(trial_id, had, most_cpus)

    def _enlarge_share(self, trial_id: str, had: float) -> None:
        if 0 < had < 1:
            self._gpus[trial_id] = next_share(had)
        else:
            self._given_up.add(trial_id)  # more GPUs do not help one process

    def _make_room(self, trial_id: str, had: Resources, most_cpus: float) -> None:
        """Fewer neighbours on its node; where that is possible, the try is not counted."""
        reserved = had.request["cpu"]
        if reserved < most_cpus:
            self._spare[trial_id] = had.spare_cpus + min(reserved, most_cpus - reserved)
            self._failed[trial_id] -= 1

    def left(self, trial_id: str) -> bool:
        """Whether it may be tried (again)."""
        return (
            trial_id not in self._given_up
            and self._failed[trial_id] <= self.max_failures
            and self._lost[trial_id] <= MOST_LOST
        )

    def more(self, trial_id: str, gets: Resources) -> str:
        """What the trial gets more of than at its first try, in words; "" for nothing."""
        if trial_id in self._gpus:
            return f"{gets.gpus:g} of a GPU"
        return f"{gets.request['cpu']:g} CPUs reserved" if trial_id in self._spare else ""

    def resources(self, trial_id: str, asked: Resources) -> Resources:
        """What the trial gets next, where `asked` is what it would get the first time."""
        spare = self._spare.get(trial_id, 0.0)
        if trial_id not in self._gpus:
            return replace(asked, spare_cpus=spare)
        share = max(self._gpus[trial_id], asked.gpus)
        return replace(asked, gpus_per_trial=share, spare_cpus=spare)
