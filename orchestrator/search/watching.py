"""Who watches a search: the terminal, and MLflow."""

from collections.abc import Callable, Sequence
from typing import Any

from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from orchestrator.failures import Failure
from orchestrator.search.study import COMPLETE, FAIL, PRUNED, RUNNING, Entry, Study
from orchestrator.tracking import Ended, Tracker
from search_spaces.designs import Trial

STATES = {COMPLETE: "complete", PRUNED: "stopped early", FAIL: "failed", RUNNING: "running"}
_MLFLOW = {COMPLETE: "FINISHED", PRUNED: "KILLED", FAIL: "FAILED"}
_SHOWN = 12  # rows of the live table: those that started last


class StudyTable:
    """A watcher that shows the latest trials and the best; plain lines without a terminal."""

    def __init__(self, console: Console, study: Study, *, trials: int) -> None:
        self._console, self._study, self._trials = console, study, trials
        self._live = Live(console=console, get_renderable=self._table, refresh_per_second=2)

    def __enter__(self) -> "StudyTable":
        if self._console.is_terminal:
            self._live.start()
        study, going_on = self._study, len(self._study.unfinished)
        self._say(
            lambda: (
                f"study {study.question.study_id}: {len(study.books)} of {self._trials} trials "
                f"known, {going_on} to go on with; at most {study.question.base.epochs} epochs each"
            )
        )
        return self

    def __exit__(self, *_: object) -> None:
        if self._console.is_terminal:
            self._live.stop()

    def planned(self, trials: Sequence[Trial], undecided: str) -> None:
        """A search has no plan."""

    def started(self, trial_id: str) -> None:
        """A trial runs."""
        self._say(lambda: f"{_name(self._study, self._entry(trial_id))}: preparing")

    def reported(self, trial_id: str, report: dict[str, Any]) -> None:
        """A trial ended an epoch."""
        self._say(lambda: _line(self._study, self._entry(trial_id)))

    def ended(self, trial_id: str, failure: str) -> None:
        """A trial failed; how others ended stood in their last epoch's line."""
        if failure:
            self._say(lambda: f"#{self._entry(trial_id).number} failed: {failure}")

    def _entry(self, trial_id: str) -> Entry:
        """The latest trial that trains this experiment."""
        books = reversed(self._study.books)
        return next(e for e in books if self._study.trial(e.number).id == trial_id)

    def _say(self, line: Callable[[], str]) -> None:
        if not self._console.is_terminal:
            self._console.print(line(), soft_wrap=True, markup=False, highlight=False)

    def _table(self) -> Table:
        ended = sum(entry.state != RUNNING for entry in self._study.books)
        best = max((e.value for e in self._study.books if e.value is not None), default=0.0)
        caption = f"{ended} of {self._trials} trials ended; best validation R@1 sum {best:.1f}"
        table = Table("trial", "state", "epoch", "best R@1 sum", caption=Text(caption))
        for entry in list(self._study.books)[-_SHOWN:]:
            state, value = STATES[entry.state], entry.value
            epochs = f"{max(list(entry.values), default=0)}/{self._study.question.base.epochs}"
            shown = "–" if value is None else f"{value:.1f}"
            table.add_row(Text(_name(self._study, entry)), Text(state), epochs, shown)
        return table


def _name(study: Study, entry: Entry) -> str:
    return f"#{entry.number} {study.trial(entry.number).cell}"


def _line(study: Study, entry: Entry) -> str:
    epoch = f"epoch {max(entry.values)}/{study.question.base.epochs}"
    ended = "" if entry.state == RUNNING else f", {STATES[entry.state]}"
    return f"{_name(study, entry)}: {epoch}, validation R@1 sum {entry.value:.1f} at best{ended}"


def as_ended(entry: Entry) -> Ended:
    """How MLflow is to show a trial that has ended."""
    return Ended(_MLFLOW[entry.state], entry.value, entry.reason)


class StudyTracking:
    """A watcher that wakes the tracker."""

    def __init__(self, tracker: Tracker, study: Study) -> None:
        self._tracker, self._study = tracker, study
        self._running: set[str] = set()
        tracker.start([])
        self._update()

    def planned(self, trials: Sequence[Trial], undecided: str) -> None:
        """A search has no plan."""

    def started(self, trial_id: str) -> None:
        """A trial runs."""
        self._running.add(trial_id)
        self._update()

    def reported(self, trial_id: str, report: dict[str, Any]) -> None:
        """A trial ended an epoch."""
        self._update()

    def ended(self, trial_id: str, failure: str) -> None:
        """A trial ended."""
        self._running.discard(trial_id)
        self._update()

    def _update(self) -> None:
        trials = [self._study.trial(entry.number) for entry in self._study.books]
        ended = {
            trial.id: as_ended(entry)
            for trial, entry in zip(trials, self._study.books, strict=True)
            if entry.state != RUNNING
        }
        self._tracker.update(trials, self._running - set(ended), ended)

    def finish(self, failures: dict[str, Failure], *, parent: str = "") -> bool:
        """Ship the rest; what is unfinished goes on with the next command: KILLED."""
        self._update()
        reasons = {trial_id: failure.text for trial_id, failure in failures.items()}
        return self._tracker.finish({}, reasons, parent=parent)
