"""MLflow as a projection of the storage: shipped in the background, replayable, allowed to fail.

The storage is the truth. A thread looks at what it holds of the plan's trials and sends MLflow
what is missing there; if MLflow cannot be reached, it tries again while the sweep runs, and the
next command for the same plan ships the rest.
"""

import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from statistics import fmean

from data_shards import files
from orchestrator import tracking_uri
from orchestrator.mlflow_runs import PlanInfo, PlanRuns, quieten
from orchestrator.storage import Storage
from search_spaces.designs import Trial

__all__ = ["Ended", "PlanInfo", "Tracker"]

DRAIN_SECONDS = 60.0
PAUSE_SECONDS = 1.0  # reports that come together are shipped together
LONGEST_PAUSE = 30.0


@dataclass(frozen=True)
class _Final:
    """How the sweep left its trials."""

    states: Mapping[str, str]
    reasons: Mapping[str, str]
    parent: str


@dataclass(frozen=True)
class Ended:
    """How a trial of a search ended: it has no record."""

    state: str
    """FINISHED, KILLED (stopped early) or FAILED."""
    score: float | None = None
    reason: str = ""


@dataclass
class _Work:
    """What the thread is to look at."""

    trials: Sequence[Trial] = ()
    running: set[str] = field(default_factory=set)
    ended: Mapping[str, Ended] = field(default_factory=dict)
    final: _Final | None = None


class Tracker:
    """Ships one plan to MLflow.

    Raises:
        UsageError: `uri` is malformed.
    """

    def __init__(self, *, uri: str, storage: Storage, plan: PlanInfo) -> None:
        self._uri = tracking_uri.parse(uri)
        self._storage = storage
        self._plan = plan
        self._work = _Work()
        self._wake = threading.Event()
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="mlflow", daemon=True)
        self._error: Exception | None = None
        self._runs: PlanRuns | None = None
        self._scores: dict[str, float | None] = {}
        self._left: set[str] = set()
        """Trials without a record that are shipped as they ended."""

    def start(self, trials: Sequence[Trial]) -> None:
        """Ship in the background from now on."""
        quieten()
        self._work.trials = tuple(trials)
        self._wake.set()
        self._thread.start()

    def update(
        self, trials: Sequence[Trial], running: set[str], ended: Mapping[str, Ended] | None = None
    ) -> None:
        """The plan grew, or a trial started, reported or ended. Returns at once."""
        self._work = _Work(tuple(trials), set(running), dict(ended or {}))
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
        final = _Final(dict(states), dict(reasons), parent)
        self._work = _Work(self._work.trials, set(), self._work.ended, final)
        self._ending.set()
        self._wake.set()
        self._thread.join(DRAIN_SECONDS)
        done = not self._thread.is_alive() and self._error is None
        if not done:
            print(self._warning(), file=sys.stderr, flush=True)
        return done

    def _run(self) -> None:
        """Passes until the final one; a failed pass waits longer each time."""
        pause = PAUSE_SECONDS
        while True:
            self._wake.wait()
            self._wake.clear()
            work = self._work
            self._pass(work)
            if work.final:
                if self._error is not None:
                    self._pass(work)  # a lost answer; what cannot be reached fails at once again
                return
            pause = PAUSE_SECONDS if self._error is None else min(2 * pause, LONGEST_PAUSE)
            self._ending.wait(pause)
            if self._error is not None:
                self._wake.set()

    def _pass(self, work: _Work) -> None:
        """Ship what is missing. A trial that cannot be shipped does not hold up the others."""
        self._error = None
        try:
            runs = self._runs = self._runs or PlanRuns(self._uri, self._plan)
            recorded = self._storage.record_ids()
        except Exception as error:  # a server, a database, a file system: each has its own
            self._error = error
            return
        for step in self._steps(runs, work, recorded):
            try:
                step()
            except Exception as error:
                self._error = self._error or error
        if self._error is not None:
            self._runs = None  # an answer may have been lost: look again before the next call

    def _steps(
        self, runs: PlanRuns, work: _Work, recorded: set[str]
    ) -> Iterator[Callable[[], None]]:
        done = recorded | set(work.ended)
        left = [trial for trial in work.trials if trial.id not in done]
        if left and not work.final:
            yield runs.resume_parent
        for trial in work.trials:
            if trial.id in recorded:
                yield partial(self._ship_record, runs, trial)
            elif trial.id in work.ended:
                yield partial(self._ship_ended, runs, trial, work.ended[trial.id])
            elif trial.id in work.running:
                yield partial(self._ship_reports, runs, trial)
            elif work.final:
                yield partial(self._leave, runs, trial, work.final)
        if work.final:
            yield partial(self._ship_pictures, runs, work.trials)
        yield partial(self._summarise, runs, work.trials, len(work.trials) - len(left))
        if work.final:
            yield partial(_close, runs, {trial.id for trial in left}, work.final)

    def _ship_record(self, runs: PlanRuns, trial: Trial) -> None:
        run = runs.children.get(trial.id)
        shipped = run is not None and run.shipped and run.status == "FINISHED"
        if shipped and trial.id in self._scores:
            return
        record = self._storage.record(trial.id)
        assert record is not None, "it was listed, and nothing deletes records"
        if not shipped:
            runs.ship_record(trial, record)
        self._scores[trial.id] = record["selection"]["value"]

    def _ship_pictures(self, runs: PlanRuns, trials: Sequence[Trial]) -> None:
        """Of the few trials that have some: the sweep draws them at its end."""
        for trial_id in self._storage.picture_ids() & {trial.id for trial in trials}:
            run = runs.children.get(trial_id)
            if run is not None and not run.pictured:
                runs.ship_pictures(run, self._storage.pictures(trial_id))

    def _ship_ended(self, runs: PlanRuns, trial: Trial, ended: Ended) -> None:
        if trial.id in self._left:
            return
        runs.ship_reports(trial, self._storage.reports(trial.id))
        runs.end(runs.children[trial.id], ended.state, reason=ended.reason)
        self._scores[trial.id] = ended.score
        self._left.add(trial.id)

    def _ship_reports(self, runs: PlanRuns, trial: Trial) -> None:
        reports = self._storage.reports(trial.id)
        runs.begin(trial, reports)
        runs.ship_reports(trial, reports)

    def _leave(self, runs: PlanRuns, trial: Trial, final: _Final) -> None:
        """A trial that ends without a record; one that never began gets no run."""
        reports = self._storage.reports(trial.id)
        state = final.states.get(trial.id, "KILLED")
        if state == "KILLED" and not reports and trial.id not in runs.children:
            return
        runs.ship_reports(trial, reports)
        runs.end(runs.children[trial.id], state, reason=final.reasons.get(trial.id, ""))

    def _summarise(self, runs: PlanRuns, trials: Sequence[Trial], recorded: int) -> None:
        values = {"trials": float(len(trials)), "recorded": float(recorded)}
        means = _cell_means(trials, self._scores)
        best = max(means, key=lambda name: means[name], default="")
        if means:
            values[f"best_{self._plan.metric}"] = means[best]
        runs.summarise(values, best)

    def _warning(self) -> str:
        """One line: what failed, and that nothing is lost."""
        if self._error is None:
            reason = f"it has not taken everything within {DRAIN_SECONDS:g} s"
        else:
            reason = _reason(self._error)
        if self._uri.secret:
            reason = reason.replace(self._uri.secret, "***")
        return (
            f"warning: MLflow at {self._uri.shown}: {reason}. Nothing is lost: the results are in "
            f"{files.shown(self._storage.url)}, and the same command ships them next time."
        )


def _cell_means(trials: Sequence[Trial], scores: Mapping[str, float | None]) -> dict[str, float]:
    """Mean score over seeds of each cell that is whole, as the printed answer compares them."""
    cells: dict[str, list[float | None]] = {}
    for trial in trials:
        cells.setdefault(trial.cell, []).append(scores.get(trial.id))
    whole = {name: [s for s in found if s is not None] for name, found in cells.items()}
    return {name: fmean(s) for name, s in whole.items() if len(s) == len(cells[name])}


def _close(runs: PlanRuns, left: set[str], final: _Final) -> None:
    """Give the parent its state, and end what an earlier command left running in this plan."""
    for run in runs.children.values():
        if run.status == "RUNNING":
            runs.end(run, "KILLED")
    states = {final.states.get(trial_id, "KILLED") for trial_id in left}
    worst = next((state for state in ("KILLED", "FAILED") if state in states), "FINISHED")
    runs.end(runs.parent, final.parent or worst)


def _reason(error: Exception) -> str:
    text = " ".join(str(error).split())
    if "failed with exception" in text:  # MLflow's wording where there was no answer at all
        return "it cannot be reached"
    return f"{type(error).__name__}: {text[:200]}"
