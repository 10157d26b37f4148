"""Storage: the one class that owns every path of a sweep's results, on a folder or fsspec URI.

plans/<plan_id>.json         a sweep that was asked: its base experiment and seeds
records/<trial_id>.json      what a finished trial found; written last: the commit mark
queries/<trial_id>.npz       per-query ranks and average precisions of the test split
reports/<trial_id>.jsonl     one line an epoch, also of a trial under way
checkpoints/<trial_id>/      last.pt and best.pt while a trial is under way
"""

import io
import json
from typing import Any

import numpy as np

from data_shards import files
from data_shards.errors import DataError, UsageError

SCHEMA = 1
Record = dict[str, Any]


class Storage:
    """Results under one folder or URI."""

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/") or "/"

    def check_writable(self) -> None:
        """Write and delete a probe file.

        Raises:
            UsageError: the storage cannot be written.
        """
        probe = files.join(self.url, "writable")
        try:
            files.write_atomic(probe, b"")
            files.remove(probe)
        except UsageError:
            raise
        except Exception as error:  # each file system has errors of its own
            raise UsageError(
                f"--storage must be writable, but {self.url!r} is not: {error}"
            ) from error

    def record_ids(self) -> set[str]:
        """Ids of the trials that have a record; only names are listed, nothing is read."""
        listed = files.names(files.join(self.url, "records"))
        return {name.removesuffix(".json") for name in listed if name.endswith(".json")}

    def record(self, trial_id: str) -> Record | None:
        """A trial's record, or None.

        Raises:
            DataError: the file is not a record of this version.
        """
        url = files.join(self.url, "records", f"{trial_id}.json")
        content = files.read_bytes(url)
        if content is None:
            return None
        try:
            record: Record = json.loads(content)
            complete = record["schema"] == SCHEMA and record["trial_id"] == trial_id
        except (ValueError, KeyError, TypeError) as error:
            raise DataError(
                f"{url} is damaged ({error}); delete it to run the trial again."
            ) from error
        if not complete:
            raise DataError(f"{url} is no record of {trial_id}, version {SCHEMA}; delete it.")
        return record

    def score(self, trial_id: str) -> float | None:
        """Selection metric of a recorded trial (percent, sum of both R@1), or None."""
        record = self.record(trial_id)
        return None if record is None else record["selection"]["value"]

    def write_record(self, record: Record, queries: dict[str, np.ndarray]) -> None:
        """Keep what a finished trial found: the per-query arrays first, the record last."""
        buffer = io.BytesIO()
        np.savez_compressed(buffer, **queries)  # type: ignore[arg-type]
        trial_id = record["trial_id"]
        files.write_atomic(files.join(self.url, "queries", f"{trial_id}.npz"), buffer.getvalue())
        text = json.dumps({"schema": SCHEMA} | record, indent=1, sort_keys=True)
        files.write_atomic(files.join(self.url, "records", f"{trial_id}.json"), text.encode())

    def plans(self) -> list[dict[str, Any]]:
        """The sweeps asked of this storage."""
        folder = files.join(self.url, "plans")
        contents = [files.read_bytes(files.join(folder, name)) for name in files.names(folder)]
        return [json.loads(content) for content in contents if content is not None]

    def write_plan(self, plan: dict[str, Any]) -> None:
        """Keep a sweep's question; the highest number of seeds asked so far stays."""
        url = files.join(self.url, "plans", f"{plan['plan_id']}.json")
        before = json.loads(files.read_bytes(url) or b"{}")
        seeds = max(plan["seeds"], before.get("seeds", 0))
        text = json.dumps(plan | {"seeds": seeds}, indent=1, sort_keys=True)
        files.write_atomic(url, text.encode())

    def queries(self, trial_id: str) -> dict[str, np.ndarray]:
        """Per-query arrays of a recorded trial."""
        content = files.read_bytes(files.join(self.url, "queries", f"{trial_id}.npz"))
        if content is None:
            raise DataError(
                f"queries/{trial_id}.npz is missing; delete the record to run it again."
            )
        with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
            return dict(arrays)

    def reports(self, trial_id: str) -> list[dict[str, Any]]:
        """Reports of a trial so far, one an epoch."""
        content = files.read_bytes(files.join(self.url, "reports", f"{trial_id}.jsonl")) or b""
        return [json.loads(line) for line in content.splitlines()]

    def write_reports(self, trial_id: str, reports: list[dict[str, Any]]) -> None:
        """Replace a trial's reports. Whole and atomic: an object store cannot append."""
        text = "".join(json.dumps(report, sort_keys=True) + "\n" for report in reports)
        files.write_atomic(files.join(self.url, "reports", f"{trial_id}.jsonl"), text.encode())

    def checkpoints_url(self, trial_id: str) -> str:
        """Folder of a trial's checkpoints."""
        return files.join(self.url, "checkpoints", trial_id)
