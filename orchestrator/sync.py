"""`sync`: all that a storage holds, into MLflow; from the storage alone, without Ray, and torch
only where a winner's model is to be registered."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

from data_shards import files
from data_shards.errors import DataError, UsageError
from orchestrator import tracking_uri
from orchestrator.failures import Failure
from orchestrator.lock import held
from orchestrator.mlflow_client import quieten
from orchestrator.mlflow_runs import PlanInfo
from orchestrator.planning import Question, asked_before
from orchestrator.search.answers import SearchAnswer
from orchestrator.search.question import SearchQuestion, searches_before
from orchestrator.search.study import RUNNING, entries
from orchestrator.search.watching import as_ended
from orchestrator.sent import Sent
from orchestrator.shipping import Final, Shipper, Work
from orchestrator.storage import Storage
from orchestrator.tracking_errors import said
from search_spaces.designs import Trial
from search_spaces.search import Search
from search_spaces.sweep import load


@dataclass(frozen=True)
class Shipped:
    """A plan that MLflow has: its trials' runs by state, and what was missing of them."""

    plan: PlanInfo
    runs: Counter[str]
    sent: Sent
    unregistered: str = ""
    """Why the winner's model is not registered, if it cannot be."""

    @property
    def text(self) -> str:
        """One line for people."""
        runs = ", ".join(f"{count} {state}" for state, count in sorted(self.runs.items()))
        sent = ", ".join(f"{count} {what}" for what, count in asdict(self.sent).items() if count)
        lacking = f"; no registered model: {self.unregistered}" if self.unregistered else ""
        return (
            f"{self.plan.sweep} on {self.plan.dataset}, plan {self.plan.plan_id}: "
            f"{runs or 'no runs'}; {f'sent {sent}' if sent else 'nothing was missing'}{lacking}"
        )

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        about = {name: getattr(self.plan, name) for name in ("plan_id", "sweep", "dataset")}
        return about | {"runs": dict(self.runs), "sent": asdict(self.sent)}


@dataclass
class Sync:
    """Ships every plan and study of a storage, or those of the sweep `name`.

    Raises:
        UsageError: the tracking URI is malformed, or nothing was asked of the storage.
    """

    storage: Storage
    uri: str
    name: str = ""
    errors: list[str] = field(default_factory=list)
    """One line for each plan that could not be shipped."""

    def __post_init__(self) -> None:
        self._uri = tracking_uri.parse(self.uri)
        self._asked = _names(self.storage, self.name)

    def run(self) -> Iterator[Shipped]:
        """Ship plan by plan. No other command may be writing to the storage meanwhile.

        Raises:
            DataError: another command is, or MLflow is out of reach.
        """
        quieten()
        with held(self.storage, command=f"sync {self.name}".strip()):
            for name in self._asked:
                try:
                    yield from self._sweep(name)
                except UsageError as error:  # a sweep that this version has not, say
                    self.errors.append(f"{name}: {error}")

    def _sweep(self, name: str) -> Iterator[Shipped]:
        if isinstance(load(name).design, Search):
            for searched in searches_before(name, self.storage):
                yield from self._ship(_info(searched, searched.study_id), searched)
        else:
            for asked in asked_before(name, self.storage):
                yield from self._ship(_info(asked, asked.plan_id), asked)

    def _ship(self, plan: PlanInfo, question: Question | SearchQuestion) -> Iterator[Shipped]:
        shipper = Shipper(uri=self._uri, storage=self.storage, plan=plan)
        try:
            work = _work(question, self.storage)
            failed = shipper.ship(work) and shipper.ship(work)  # again: an answer may be lost
        except DataError as error:  # a damaged file holds up its own plan
            failed = error
        if failed is None and shipper.runs is not None:
            states = Counter(run.status for run in shipper.runs.children.values())
            yield Shipped(plan, states, shipper.runs.sent, shipper.unregistered)
            return
        assert failed is not None
        if shipper.outage and not isinstance(failed, DataError):
            raise DataError(
                f"MLflow at {self._uri.shown} must be reached: {said(failed, self._uri)}. See that "
                "it runs, and sync again: nothing is lost."
            )
        self.errors.append(f"{plan.sweep}, plan {plan.plan_id}: {said(failed, self._uri)}")


def _names(storage: Storage, name: str) -> list[str]:
    """The sweeps that were asked of a storage, checked where one is named."""
    if name:
        search = isinstance(load(name).design, Search)
        _ = searches_before(name, storage) if search else asked_before(name, storage)
        return [name]
    names = sorted({kept["sweep"] for kept in [*storage.plans(), *storage.studies()]})
    if not names:
        raise UsageError(
            f"a sweep must have been run, but {files.shown(storage.url)!r} has none: name the "
            "--storage of one."
        )
    return names


def _info(question: Question | SearchQuestion, plan_id: str) -> PlanInfo:
    return PlanInfo(
        sweep=question.sweep.name,
        question=question.sweep.question,
        plan_id=plan_id,
        base=question.base,
        dataset=question.dataset,
        data_hash=question.base.data,
    )


def _work(question: Question | SearchQuestion, storage: Storage) -> Work:
    if isinstance(question, SearchQuestion):
        return _study_work(question, storage)
    plan, recorded = question.plan(storage), storage.record_ids()
    left = [trial for trial in plan.trials if trial.id not in recorded]
    parent = "KILLED" if plan.undecided and not left else ""  # interrupted between two stages
    return Work(plan.trials, final=_final(left, storage, parent))


def _study_work(question: SearchQuestion, storage: Storage) -> Work:
    books = entries(question, storage)
    trials = {e.number: Trial(question.experiment(e.params), e.params) for e in books}
    ended = {trials[e.number].id: as_ended(e) for e in books if e.state != RUNNING}
    left = [trial for trial in trials.values() if trial.id not in ended]
    answered = SearchAnswer(question, books).best is not None
    parent = "" if answered or left else "FAILED" if books else "KILLED"
    return Work(list(trials.values()), ended=ended, final=_final(left, storage, parent))


def _final(left: list[Trial], storage: Storage, parent: str) -> Final:
    """Trials without a record: FAILED where that is what ended them, else KILLED."""
    reasons = {}
    for trial_id, found in storage.failures(trial.id for trial in left).items():
        since = max((report["time"] for report in storage.reports(trial_id)), default=0.0)
        if found["time"] >= since:  # else a later command went on with it, and was stopped
            reasons[trial_id] = Failure(found["kind"], found["reason"]).text
    return Final(dict.fromkeys(reasons, "FAILED"), reasons, parent)
