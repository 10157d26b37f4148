"""MLflow as a projection of the storage: shipped in the background, replayable, allowed to fail.

The storage is the truth. A thread looks at what it holds of the plan's trials and sends MLflow
what is missing there; if MLflow cannot be reached, it tries again while the sweep runs, and the
next command for the same plan, or `sync`, ships the rest.
"""

import sys
import threading
from collections.abc import Iterator, Mapping, Sequence

from data_shards import files
from data_shards.draws import rng
from orchestrator import tracking_uri
from orchestrator.mlflow_client import quieten
from orchestrator.mlflow_runs import PlanInfo
from orchestrator.shipping import Ended, Final, Shipper, Work
from orchestrator.storage import Storage
from orchestrator.tracking_errors import said
from search_spaces.designs import Trial

__all__ = ["Ended", "PlanInfo", "Tracker"]

DRAIN_SECONDS = 60.0
PAUSE_SECONDS = 1.0  # reports that come together are shipped together
LONGEST_PAUSE = 30.0


class Tracker:
    """Ships one plan to MLflow. Whatever goes wrong in its thread stays there.

    Raises:
        UsageError: `uri` is malformed.
    """

    def __init__(self, *, uri: str, storage: Storage, plan: PlanInfo) -> None:
        self._uri = tracking_uri.parse(uri)
        self._storage = storage
        self._plan = plan
        self._work = Work()
        self._wake = threading.Event()
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="mlflow", daemon=True)
        self._error: BaseException | None = None
        self._shipper = Shipper(uri=self._uri, storage=storage, plan=plan)

    def start(self, trials: Sequence[Trial]) -> None:
        """Ship in the background from now on."""
        quieten()
        self._work = Work(tuple(trials))
        self._wake.set()
        self._thread.start()

    def update(
        self, trials: Sequence[Trial], running: set[str], ended: Mapping[str, Ended] | None = None
    ) -> None:
        """The plan grew, or a trial started, reported or ended. Returns at once."""
        self._work = Work(tuple(trials), set(running), dict(ended or {}))
        self._wake.set()

    def finish(
        self, states: Mapping[str, str], reasons: Mapping[str, str], *, parent: str = ""
    ) -> bool:
        """Ship the rest and give every run its final state; wait at most a minute for it.

        Args:
            states: FAILED or KILLED by trial id, for trials that the sweep leaves; without one,
                KILLED. A trial with a record is FINISHED whatever is said here.
            reasons: why, by trial id, for those that failed.
            parent: the state of the whole, if something ended it early; else its trials' worst.

        Returns:
            Whether MLflow has everything. If not, one line on stderr has said so.
        """
        final = Final(dict(states), dict(reasons), parent)
        self._work = Work(self._work.trials, set(), self._work.ended, final)
        self._ending.set()
        self._wake.set()
        self._thread.join(DRAIN_SECONDS)
        done = not self._thread.is_alive() and self._error is None
        if not done:
            print(self._warning(), file=sys.stderr, flush=True)
        elif reason := self._shipper.unregistered:
            print(f"warning: no registered model: {reason}", file=sys.stderr, flush=True)
        return done

    def _run(self) -> None:
        try:
            self._ship_until_the_end()
        except BaseException as error:  # nobody is there to catch it
            self._error = error

    def _ship_until_the_end(self) -> None:
        """Passes until the final one; a failed pass waits longer each time."""
        pauses = _pauses(self._plan.plan_id)
        while True:
            self._wake.wait()
            self._wake.clear()
            work = self._work
            self._error = self._shipper.ship(work)
            if work.final:
                if self._error is not None:  # a lost answer; what is out of reach fails again
                    self._error = self._shipper.ship(work)
                return
            if self._error is None:
                pauses = _pauses(self._plan.plan_id)
                self._ending.wait(PAUSE_SECONDS)
            else:
                self._ending.wait(next(pauses))
                self._wake.set()

    def _warning(self) -> str:
        """One line: what failed, and that nothing is lost."""
        if self._error is None:
            reason = f"it has not taken everything within {DRAIN_SECONDS:g} s"
        else:
            reason = said(self._error, self._uri)
        return (
            f"warning: MLflow at {self._uri.shown}: {reason}. Nothing is lost: the results are in "
            f"{files.shown(self._storage.url)}, and the same command, or `sync`, ships them later."
        )


def _pauses(plan_id: str) -> Iterator[float]:
    """Seconds to wait: doubled up to a limit, then shortened by up to a half.

    By how much is the plan's own draw: many sweeps do not return to a server in one moment.
    """
    draw, pause = rng(0, "back-off", plan_id), PAUSE_SECONDS
    while True:
        pause = min(2 * pause, LONGEST_PAUSE)
        yield pause * float(draw.uniform(0.5, 1.0))
