"""The live table of trials while a sweep runs; plain lines where there is no terminal."""

from collections.abc import Callable, Sequence
from typing import Any

from rich.console import Console, Group
from rich.live import Live
from rich.table import Column, Table
from rich.text import Text

from data_shards import progress
from data_shards.cache_folder import cache_folder
from orchestrator.live_rows import (
    FAILED,
    PREPARING,
    RECORDED,
    RUNNING,
    Row,
    best,
    shown,
    until_end,
)
from orchestrator.storage import Storage
from search_spaces.designs import Trial

_FRAME = 8  # lines of the screen that are no trial: the table's own, what is below, the prompt
_NUMBERS = 54  # columns of the screen that the epoch, R@1, what is left and the lines take
_NARROWEST = 9  # columns of a state


class LiveTable:
    """A watcher that shows each trial's state, epoch, R@1 and what is left of it.

    Below stand the sweep's own end and the best trial so far. Without a terminal, a line for the
    first epoch and for each tenth of a trial; what a trial that goes on had already reported is not
    told again.
    """

    def __init__(self, console: Console, storage: Storage) -> None:
        self._console = console
        self._storage = storage
        self._rows: dict[str, Row] = {}
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
        for trial in trials:
            oracle = trial.experiment.selection == "test"
            row = Row(trial.name, trial.experiment.epochs, oracle=oracle)
            self._rows.setdefault(trial.id, row)
        self._read({id_: row for id_, row in self._rows.items() if row.state != RECORDED})
        waiting = sum(row.state != RECORDED for row in self._rows.values())
        then = f"; then {undecided}" if undecided else ""
        self._say(lambda: f"plan: {len(trials)} trials, {waiting} to run{then}")

    def _read(self, rows: dict[str, Row]) -> None:
        """What the storage holds of trials: a record, or the epochs of an earlier try."""
        recorded = self._storage.records(rows, keep=("selection",))
        for trial_id, record in recorded.items():
            rows[trial_id].state, rows[trial_id].reason = RECORDED, ""
            rows[trial_id].score = record["selection"]["value"]
        for trial_id in (rows.keys() & self._storage.report_ids()) - recorded.keys():
            for report in self._storage.reports(trial_id):
                rows[trial_id].add(report)

    def started(self, trial_id: str) -> None:
        """A trial runs; before its first epoch it may have to derive features."""
        row = self._rows[trial_id]
        row.state, row.reason = PREPARING, ""
        self._say(
            lambda: f"{row.name}: " + (f"on after epoch {row.epoch}" if row.epoch else PREPARING)
        )

    def reported(self, trial_id: str, report: dict[str, Any]) -> None:
        """A trial ended an epoch."""
        row = self._rows[trial_id]
        if not row.add(report):
            return
        first, row.state = row.state == PREPARING, RUNNING
        if first or row.is_due():
            left = f", {row.left} left" if row.left and row.epoch < row.epochs else ""
            self._say(lambda: f"{row.name}: epoch {row.epoch}/{row.epochs}, {_r1(row)}{left}")

    def ended(self, trial_id: str, failure: str) -> None:
        """A trial is recorded or has failed."""
        row = self._rows[trial_id]
        row.state, row.reason = (FAILED, failure) if failure else (RECORDED, "")
        if not failure:
            row.reports.clear()
        told = f"failed: {failure}" if failure else f"recorded ({self._progress()})"
        self._say(lambda: f"{row.name}: {told}")

    def _progress(self) -> str:
        """The sweep as a whole, in one line."""
        rows = list(self._rows.values())
        done = sum(row.state == RECORDED for row in rows)
        parts = [f"{done} of {len(rows)} recorded", until_end(rows), best(rows)]
        return "; ".join(filter(None, parts))

    def _say(self, line: Callable[[], str]) -> None:
        if not self._console.is_terminal:
            self._console.print(line(), soft_wrap=True, markup=False, highlight=False)

    def _table(self) -> Group:
        """At most as high as the terminal: a line a trial, never a wrapped one."""
        rows, rest = shown(self._rows.values(), room=max(1, self._console.height - _FRAME))
        names = max((len(row.name) for row in rows), default=0)
        room = max(_NARROWEST, self._console.width - _NUMBERS - names)
        table = Table(
            Column("trial", no_wrap=True, overflow="ellipsis"),
            Column("state", no_wrap=True, overflow="ellipsis", max_width=room),
            *(Column(head, no_wrap=True) for head in ("epoch", "R@1 s2i i2s", "left")),
        )
        for row in rows:
            table.add_row(Text(row.name), Text(_state(row)), row.bar, row.r1, row.left)
        below = filter(None, [rest, self._progress(), self._undecided])
        return Group(table, *(Text(line, no_wrap=True, overflow="ellipsis") for line in below))


def _r1(row: Row) -> str:
    """For a line, which has no head above it."""
    way = row.metrics
    return f"R@1 s2i {way['s2i_r1']:.1f} i2s {way['i2s_r1']:.1f} %" if way else row.r1


def _state(row: Row) -> str:
    if row.state == PREPARING:
        return row.state + _deriving()
    return f"{row.state}: {row.reason}" if row.reason else row.state


def _deriving() -> str:
    """How far this node is with columns that its trials wait for."""
    notes = (progress.read(path) for path in cache_folder().glob("*.progress"))
    found = ", ".join(note for note in notes if note)
    return f" (features {found})" if found else ""
