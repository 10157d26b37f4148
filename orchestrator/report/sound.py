"""A storage as a report reads it: what is damaged is left out, and said."""

from collections.abc import Iterable, Sequence

import numpy as np

from data_shards import files
from data_shards.errors import DataError
from orchestrator.storage import Record, Storage

NEEDED = ("selection", "test", "dropped", "reports", "environment", "seconds")
"""Fields of a record that a report shows."""


class Sound(Storage):
    """Storage without the files of trials that cannot be read; `damaged` says which those are."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self._found: dict[str, str] = {}

    @property
    def damaged(self) -> list[str]:
        """A sentence for each file that was left out so far, by the file's name."""
        return [self._found[url] for url in sorted(self._found)]

    def record(self, trial_id: str) -> Record | None:
        """A trial's record, or None where it cannot be read."""
        url = self._of("records", f"{trial_id}.json")
        try:
            record = super().record(trial_id)
            if lacking := [name for name in NEEDED if record is not None and name not in record]:
                raise DataError(f"{files.shown(url)} is damaged ({lacking[0]} is missing).")
        except DataError as error:
            self._found[url] = str(error)
            return None
        return record

    def records(self, trial_ids: Iterable[str], *, keep: Sequence[str]) -> dict[str, Record]:
        """Some fields of the records that can be read."""
        found = super().records(trial_ids, keep=keep)
        return {trial_id: record for trial_id, record in found.items() if record}

    def failure(self, trial_id: str) -> Record | None:
        """Why the last try of a trial failed, or None where that cannot be read."""
        try:
            return super().failure(trial_id)
        except DataError as error:
            self._found[self._of("failures", f"{trial_id}.json")] = str(error)
            return None

    def queries(self, trial_id: str) -> dict[str, np.ndarray]:
        """Per-query arrays of a recorded trial; none where they cannot be read."""
        try:
            return super().queries(trial_id)
        except DataError as error:
            self._found[self._of("queries", f"{trial_id}.npz")] = str(error)
            return {}


def said(damaged: Sequence[str]) -> str:
    """In one line, that a report leaves files out."""
    more = f" and {len(damaged) - 1} more" if len(damaged) > 1 else ""
    return f"The report leaves out what is damaged: {damaged[0]}{more}"
