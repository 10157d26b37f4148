"""The study: Optuna's in memory, its books in `studies/<study_id>/`, written before anything else.

A trial's file says what it was asked to try, what it reported and how it ended. An Optuna study
is rebuilt from these files at every start, so that a kill loses no trial, repeats none and leaves
none running: what was under way is continued first, with the same number and parameters.
"""

import logging
import uuid
import warnings
from dataclasses import asdict, dataclass, field
from typing import Any

import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution
from optuna.trial import FrozenTrial, TrialState, create_trial

from data_shards.errors import DataError, UsageError
from orchestrator.search import pruners, samplers
from orchestrator.search.question import SearchQuestion
from orchestrator.storage import Storage
from search_spaces.designs import Trial
from search_spaces.search import Range, Space

RUNNING, COMPLETE, PRUNED, FAIL = "RUNNING", "COMPLETE", "PRUNED", "FAIL"


@dataclass
class Entry:
    """A trial in the books. `values`: by epoch, the best selection metric up to it (percent)."""

    number: int
    params: dict[str, Any]
    state: str = RUNNING
    values: dict[int, float] = field(default_factory=dict)
    reason: str = ""
    """Why it failed."""

    @property
    def value(self) -> float | None:
        """Its best selection metric so far."""
        return max(self.values.values(), default=None)


def entries(question: SearchQuestion, storage: Storage) -> list[Entry]:
    """The books of a search.

    Raises:
        DataError: a trial's file is damaged, or missing: the numbers behind it would shift.
    """
    found = [entry_of(question, entry) for entry in storage.study_trials(question.study_id)]
    for number, entry in enumerate(found):
        if entry.number != number:
            raise DataError(
                f"a study's trials must be whole, but studies/{question.study_id}/{number:05}.json "
                "is missing: the same `sweep` command has its trial run again."
            )
    return found


def entry_of(question: SearchQuestion, kept: dict[str, Any]) -> Entry:
    """A trial from its file.

    Raises:
        DataError: it has not the fields of one.
    """
    try:
        return Entry(**kept | {"values": {int(k): v for k, v in kept["values"].items()}})
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise DataError(
            "a study's trials must be whole, but a file of trial "
            f"{kept.get('number', '?')} in studies/{question.study_id} has not the fields of one: "
            "the same `sweep` command mends it."
        ) from error


def frozen_study(question: SearchQuestion, books: list[Entry]) -> optuna.Study:
    """An Optuna study in memory with the finished trials of the books; for reports and exports."""
    study = _empty(question)
    study.add_trials([_frozen(question.space, e) for e in books if e.state != RUNNING])
    return study


def suggestion(question: SearchQuestion, books: list[Entry]) -> dict[str, Any]:
    """The parameters that the sampler suggests behind these trials."""
    study = _empty(question)
    study.add_trials([_frozen(question.space, entry) for entry in books])
    past = [trial for trial in study.trials if trial.state.is_finished()]
    study.sampler = samplers.make(
        question.sampler, seed=question.base.seed, number=len(books), past=past
    )
    return dict(study.ask(_distributions(question.space)).params)


class Study:
    """A search under way. It belongs to the command that began or continued it last: an earlier
    one, on another machine say, is stopped at its next word to the books.

    Raises:
        UsageError: the storage holds another study under this name; or, from any method that
            writes, another command has taken this one over.
        DataError: its books are damaged.
    """

    def __init__(self, question: SearchQuestion, storage: Storage) -> None:
        question.check_same(storage)
        self.question = question
        self._storage = storage
        self._owner = uuid.uuid4().hex
        storage.write_study(question.study_id, question.to_dict())
        storage.write_study_owner(question.study_id, self._owner)
        self.books = entries(question, storage)
        self._study = _empty(question)
        self._live: dict[int, optuna.Trial] = {}
        self._trials: dict[int, Trial] = {}
        self._rebuild()
        self._past = [t for t in self._study.trials if t.state.is_finished()]
        self._remove_left_checkpoints()

    def _remove_left_checkpoints(self) -> None:
        """Those of ended trials, which a kill right behind the end has left."""
        left = self._storage.checkpoint_ids()
        for entry in self.books:
            if left and entry.state != RUNNING and self.trial(entry.number).id in left:
                self._storage.remove_checkpoints(self.trial(entry.number).id)

    def _rebuild(self) -> None:
        """Unfinished trials are put in as waiting and taken out again, which makes them run."""
        distributions = _distributions(self.question.space)
        for entry in self.books:
            if entry.state == RUNNING:
                self._study.enqueue_trial(entry.params)
            else:
                self._study.add_trial(_frozen(self.question.space, entry))
        for entry in self.books:
            if entry.state == RUNNING:
                trial = self._study.ask(distributions)
                assert (trial.number, trial.params) == (entry.number, entry.params)
                for epoch, value in entry.values.items():
                    trial.report(value, epoch)  # a rung remembers who has reached it
                self._live[entry.number] = trial

    @property
    def unfinished(self) -> list[int]:
        """Numbers of the trials that have not ended."""
        return [entry.number for entry in self.books if entry.state == RUNNING]

    def trial(self, number: int) -> Trial:
        """What to run as trial `number`."""
        if number not in self._trials:
            params = self.books[number].params
            self._trials[number] = Trial(self.question.experiment(params), params)
        return self._trials[number]

    def ask(self) -> int:
        """Have the sampler suggest another trial; its number."""
        self._study.sampler = samplers.make(
            self.question.sampler,
            seed=self.question.base.seed,
            number=len(self.books),
            past=self._past,
        )
        trial = self._study.ask(_distributions(self.question.space))
        assert trial.number == len(self.books)
        entry = Entry(trial.number, dict(trial.params))
        self._write(entry)
        self._live[trial.number] = trial
        self.books.append(entry)
        return trial.number

    def report(self, number: int, *, epoch: int, score: float) -> bool:
        """A trial ended an epoch with this selection metric (percent).

        Returns:
            Whether the trial has ended: at its last epoch, or stopped early.
        """
        entry, trial = self.books[number], self._live[number]
        again = epoch in entry.values  # a restarted trial tells its epochs from the beginning
        value = entry.values[epoch] if again else max(score, entry.value or 0.0)
        if not again:
            trial.report(value, epoch)
            entry.values[epoch] = value
        if epoch == self.question.base.epochs:
            self.end(number, COMPLETE)
        elif not again and trial.should_prune():
            self.end(number, PRUNED)
        elif not again:
            self._write(entry)
        return entry.state != RUNNING

    def end(self, number: int, state: str, *, reason: str = "") -> None:
        """A trial has ended: the books first, then the sampler."""
        entry = self.books[number]
        entry.state, entry.reason = state, reason
        self._write(entry)
        value = entry.value if state == COMPLETE else None
        self._study.tell(self._live.pop(number), value, TrialState[state])
        self._storage.remove_checkpoints(self.trial(number).id)

    def _write(self, entry: Entry) -> None:
        """Into the books, if they are still ours: else both would train the same trials."""
        if self._storage.study_owner(self.question.study_id) != self._owner:
            raise UsageError(
                f"a study must be run by one command at a time, but {self.question.study_id} was "
                "taken over by a later one, which goes on with its trials: follow that, or give "
                "another --study name."
            )
        self._storage.write_study_trial(self.question.study_id, asdict(entry))


def _empty(question: SearchQuestion) -> optuna.Study:
    optuna.logging.set_verbosity(logging.WARNING)
    warnings.filterwarnings("ignore", category=optuna.exceptions.ExperimentalWarning)
    pruner = pruners.make(
        question.pruner, min_epochs=question.min_epochs, epochs=question.base.epochs
    )
    return optuna.create_study(direction="maximize", pruner=pruner, study_name=question.study_id)


def _frozen(space: Space, entry: Entry) -> FrozenTrial:
    """A trial as Optuna has it; a pruned one is worth what it last reported."""
    return create_trial(
        state=TrialState[entry.state],
        value=entry.value if entry.state in (COMPLETE, PRUNED) else None,
        params=entry.params,
        distributions=_distributions(space),
        intermediate_values=entry.values,
    )


def _distributions(space: Space) -> dict[str, BaseDistribution]:
    return {
        name: FloatDistribution(over.low, over.high, log=True)
        if isinstance(over, Range)
        else CategoricalDistribution(list(over))
        for name, over in space.items()
    }
