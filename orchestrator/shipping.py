"""What of the storage MLflow lacks, shipped in passes; one may fail anywhere and be repeated.

What is kept between passes are ids, states and scores; reports and records are read when they are
shipped, and forgotten.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from statistics import fmean

from data_shards.errors import DataError, NetworkError
from orchestrator import mlflow_notes
from orchestrator.mlflow_runs import PlanInfo, PlanRuns
from orchestrator.registered import Winner
from orchestrator.storage import Record, Storage
from orchestrator.tracking_uri import TrackingUri
from search_spaces.designs import Trial


@dataclass(frozen=True)
class Final:
    """How the sweep left its trials; see `Tracker.finish`."""

    states: Mapping[str, str]
    reasons: Mapping[str, str]
    parent: str = ""


@dataclass(frozen=True)
class Ended:
    """How a trial of a search ended: it has no record."""

    state: str
    """FINISHED, KILLED (stopped early) or FAILED."""
    score: float | None = None
    reason: str = ""


@dataclass(frozen=True)
class Work:
    """What a pass is to look at."""

    trials: Sequence[Trial] = ()
    running: set[str] = field(default_factory=set)
    ended: Mapping[str, Ended] = field(default_factory=dict)
    final: Final | None = None


class Shipper:
    """Ships one plan."""

    def __init__(self, *, uri: TrackingUri, storage: Storage, plan: PlanInfo) -> None:
        self._uri, self._storage, self._plan = uri, storage, plan
        self.runs: PlanRuns | None = None
        self.outage = False
        """Whether the last pass was ended by MLflow, or the storage, being out of reach."""
        self.unregistered = ""
        """Why the winner's model cannot be registered, if it cannot."""
        self._scores: dict[str, float | None] = {}
        self._tests: dict[str, dict[str, float]] = {}
        self._left: set[str] = set()
        """Trials without a record that are shipped as they ended."""

    def ship(self, work: Work) -> Exception | None:
        """Ship what is missing; what went wrong first, if anything did."""
        self.outage = False
        try:
            failed = self._pass(work)
        except Exception as error:  # a server, a database, a file system: each has its own
            failed, self.outage = error, True
        if failed is not None:
            self.runs = None  # an answer may have been lost: look again before the next call
        return failed

    def _pass(self, work: Work) -> Exception | None:
        """A trial that cannot be shipped does not hold up the others; an outage ends the pass."""
        runs = self.runs = self.runs or PlanRuns(self._uri, self._plan)
        recorded, failed = self._storage.record_ids(), None
        for step in self._steps(runs, work, recorded):
            try:
                step()
            except NetworkError:
                raise  # the storage is out of reach
            except Exception as error:
                failed = failed or error
                runs.check()
        return failed

    def _steps(
        self, runs: PlanRuns, work: Work, recorded: set[str]
    ) -> Iterator[Callable[[], None]]:
        done = recorded | set(work.ended)
        left = [trial for trial in work.trials if trial.id not in done]
        if left and not work.final:
            yield runs.resume_parent
        yield partial(self._read_scores, runs, recorded & {trial.id for trial in work.trials})
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
            yield partial(self._describe, runs, work.trials)
            yield partial(_close, runs, {trial.id for trial in left}, work.final)
            if not left and not work.final.parent:
                yield partial(self._register, runs, work.trials)

    def _read_scores(self, runs: PlanRuns, recorded: set[str]) -> None:
        """Of what an earlier command has shipped: many records at once, and once."""
        unknown = {name for name in recorded - self._scores.keys() if _is_shipped(runs, name)}
        if unknown:
            found = self._storage.records(unknown, keep=("selection", "test"))
            for name, record in found.items():
                self._keep(name, record)

    def _ship_record(self, runs: PlanRuns, trial: Trial) -> None:
        shipped = _is_shipped(runs, trial.id)
        if shipped and trial.id in self._scores:
            return
        record = self._storage.record(trial.id)
        assert record is not None, "it was listed, and nothing deletes records"
        if not shipped:
            runs.ship_record(trial, record)
        self._keep(trial.id, record)

    def _keep(self, trial_id: str, record: Record) -> None:
        self._scores[trial_id] = record["selection"]["value"]
        self._tests[trial_id] = record["test"]

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

    def _leave(self, runs: PlanRuns, trial: Trial, final: Final) -> None:
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
        best = self._best(trials)
        if means:
            values[f"best_{self._plan.metric}"] = means[best]
        runs.summarise(values, best)

    def _describe(self, runs: PlanRuns, trials: Sequence[Trial]) -> None:
        """Once no further result comes: means over seeds, beside the question."""
        cells = mlflow_notes.cells(trials, self._tests)
        runs.summarise(mlflow_notes.metrics(cells, self._plan.dataset), "")
        runs.describe(cells, self._best(trials))

    def _best(self, trials: Sequence[Trial]) -> str:
        """The best cell; empty where nothing was held out to choose it by."""
        means = _cell_means(trials, self._scores)
        return max(means, key=lambda name: means[name], default="")

    def _register(self, runs: PlanRuns, trials: Sequence[Trial]) -> None:
        """The model of the best cell's first seed; that its weights are gone is no failure."""
        lone = len({trial.cell for trial in trials}) == 1
        best = self._best(trials)
        trial = next((t for t in trials if lone or (best and t.cell == best)), None)
        record = self._storage.record(trial.id) if trial else None
        if trial is None or record is None:  # a search's trials have no record, and no model
            return
        if trial.experiment.trainable:
            self.unregistered = f"only VFSEL's are, and this is {trial.experiment.model}"
            return
        winner = Winner(self._storage, record, trial.name, self._plan.sweep)
        try:
            runs.register(runs.children[trial.id], winner)
        except NetworkError:
            raise
        except DataError as error:  # of the model, not of MLflow: it will be the same again
            self.unregistered = str(error)


def _is_shipped(runs: PlanRuns, trial_id: str) -> bool:
    run = runs.children.get(trial_id)
    return run is not None and run.shipped and run.status == "FINISHED"


def _cell_means(trials: Sequence[Trial], scores: Mapping[str, float | None]) -> dict[str, float]:
    """Mean score over seeds of each cell that is whole, as the printed answer compares them."""
    cells: dict[str, list[float | None]] = {}
    for trial in trials:
        cells.setdefault(trial.cell, []).append(scores.get(trial.id))
    whole = {name: [s for s in found if s is not None] for name, found in cells.items()}
    return {name: fmean(s) for name, s in whole.items() if len(s) == len(cells[name])}


def _close(runs: PlanRuns, left: set[str], final: Final) -> None:
    """Give the parent its state, and end what an earlier command left running in this plan."""
    for run in runs.children.values():
        if run.status == "RUNNING":
            runs.end(run, "KILLED")
    states = {final.states.get(trial_id, "KILLED") for trial_id in left}
    worst = next((state for state in ("KILLED", "FAILED") if state in states), "FINISHED")
    runs.end(runs.parent, final.parent or worst)
