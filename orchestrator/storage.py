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
        if not url:
            raise UsageError("--storage must be a folder or URI, but is empty.")
        self.url = url.rstrip("/") or "/"

    def check_writable(self) -> None:
        """Write and delete a probe file.

        Raises:
            UsageError: the storage cannot be written.
        """
        if self.url.split("://", 1)[0] in ("memory", "http", "https"):
            raise UsageError(
                "--storage must be writable by every process of the sweep, but got "
                f"{files.shown(self.url)!r}: use a folder, or an object store such as s3://."
            )
        probe = files.join(self.url, "writable")
        try:
            files.write_atomic(probe, b"")
            files.remove(probe)
        except UsageError:
            raise
        except Exception as error:  # each file system has errors of its own
            raise UsageError(
                f"--storage must be writable, but {files.shown(self.url)!r} is not: {error}"
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
        record: Record = _parse(content, url)
        if record.get("schema") != SCHEMA or record.get("trial_id") != trial_id:
            shown = files.shown(url)
            raise DataError(f"{shown} is no record of {trial_id}, version {SCHEMA}; delete it.")
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
        urls = [files.join(folder, name) for name in files.names(folder)]
        return [_parse(files.read_bytes(url) or b"", url) for url in urls]

    def write_plan(self, plan: dict[str, Any]) -> None:
        """Keep a sweep's question; the highest number of seeds asked so far stays."""
        url = files.join(self.url, "plans", f"{plan['plan_id']}.json")
        before = _parse(files.read_bytes(url) or b"{}", url)
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
        url = files.join(self.url, "reports", f"{trial_id}.jsonl")
        return [_parse(line, url) for line in (files.read_bytes(url) or b"").splitlines()]

    def write_reports(self, trial_id: str, reports: list[dict[str, Any]]) -> None:
        """Replace a trial's reports. Whole and atomic: an object store cannot append."""
        text = "".join(json.dumps(report, sort_keys=True) + "\n" for report in reports)
        files.write_atomic(files.join(self.url, "reports", f"{trial_id}.jsonl"), text.encode())

    def checkpoints_url(self, trial_id: str) -> str:
        """Folder of a trial's checkpoints."""
        return files.join(self.url, "checkpoints", trial_id)

    def remove_checkpoints(self, trial_id: str) -> None:
        """Delete a recorded trial's checkpoints."""
        for name in ("last", "best"):
            files.remove(files.join(self.checkpoints_url(trial_id), f"{name}.pt"))


def _parse(content: bytes, url: str) -> dict[str, Any]:
    try:
        value = json.loads(content)
    except ValueError as error:
        shown = files.shown(url)
        raise DataError(
            f"{shown} is damaged ({error}); delete it and run the sweep again."
        ) from error
    if not isinstance(value, dict):
        raise DataError(f"{files.shown(url)} is not ours; delete it and run the sweep again.")
    return value
