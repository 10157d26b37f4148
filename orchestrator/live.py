"""The live table of trials while a sweep runs; plain lines where there is no terminal."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from data_shards import progress
from data_shards.cache_folder import cache_folder
from orchestrator.storage import Storage
from search_spaces.designs import Trial


@dataclass
class _Row:
    name: str
    epochs: int
    state: str = "waiting"
    epoch: int = 0
    metrics: dict[str, float] | None = None


class LiveTable:
    """A watcher that shows each trial's state, epoch and validation R@1 in both directions."""

    def __init__(self, console: Console, storage: Storage) -> None:
        self._console = console
        self._storage = storage
        self._rows: dict[str, _Row] = {}
        self._undecided = ""
        self._live = Live(console=console, get_renderable=self._table, refresh_per_second=2)

    def __enter__(self) -> "LiveTable":
        if self._console.is_terminal:
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._console.is_terminal:
            self._live.stop()

    def planned(self, trials: Sequence[Trial], undecided: str) -> None:
        """Add the trials that are new to the plan."""
        self._undecided = undecided
        recorded = self._storage.record_ids()
        for trial in trials:
            row = self._rows.setdefault(trial.id, _Row(trial.name, trial.experiment.epochs))
            if trial.id in recorded:
                row.state, row.epoch = "recorded", row.epochs
        waiting = len(set(self._rows) - recorded)
        self._say(lambda: f"plan: {len(trials)} trials, {waiting} to run{_then(undecided)}")

    def started(self, trial_id: str) -> None:
        """A trial runs; before its first epoch it may have to derive features."""
        self._rows[trial_id].state = "preparing"
        self._say(lambda: f"{self._rows[trial_id].name}: preparing")

    def reported(self, trial_id: str, report: dict[str, Any]) -> None:
        """A trial ended an epoch."""
        row = self._rows[trial_id]
        row.state, row.epoch, row.metrics = "running", report["epoch"], report["metrics"]
        self._say(lambda: f"{row.name}: epoch {row.epoch}/{row.epochs}, {_r1(row)}")

    def ended(self, trial_id: str, failure: str) -> None:
        """A trial is recorded or has failed."""
        row = self._rows[trial_id]
        row.state = f"failed: {failure}" if failure else "recorded"
        self._say(lambda: f"{row.name}: {row.state}")

    def _say(self, line: Callable[[], str]) -> None:
        if not self._console.is_terminal:
            self._console.print(line(), soft_wrap=True, markup=False, highlight=False)

    def _table(self) -> Table:
        table = Table("trial", "state", "epoch", "while training", caption=Text(self._undecided))
        for row in self._rows.values():
            state = row.state + (_deriving() if row.state == "preparing" else "")
            table.add_row(Text(row.name), Text(state), f"{row.epoch}/{row.epochs}", _r1(row))
        return table


def _deriving() -> str:
    """How far this node is with columns that its trials wait for."""
    notes = (progress.read(path) for path in cache_folder().glob("*.progress"))
    shown = ", ".join(note for note in notes if note)
    return f" (features {shown})" if shown else ""


def _r1(row: _Row) -> str:
    if not row.metrics:
        return "–"
    return f"R@1 s2i {row.metrics['s2i_r1']:.1f} i2s {row.metrics['i2s_r1']:.1f} %"


def _then(undecided: str) -> str:
    return f"; then {undecided}" if undecided else ""
