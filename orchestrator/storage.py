"""Storage: the one class that owns every path of a sweep's results, on a folder or fsspec URI.

plans/<plan_id>.json         a sweep that was asked: its base experiment and seeds
records/<trial_id>.json      what a finished trial found; written last: the commit mark
queries/<trial_id>.npz       per-query ranks and average precisions of the test split
reports/<trial_id>.jsonl     one line an epoch, also of a trial under way
failures/<trial_id>.json     why the last try of a trial ended without a record
checkpoints/<trial_id>/      last-<epoch>.pt and best-<epoch>.pt while a trial is under way
models/<trial_id>/           best.pt of a finished trial, for its pictures; can be deleted
pictures/<trial_id>/         gradcam.png, speech_attention.png, gallery_s2i.png, …; can be deleted
features/<column>/           derived features that nodes share; only on a URI, can be deleted
damaged/<kind>/…             files that a sweep found cut short and set aside; can be deleted
trainables/<sha256>.py       source of a trainable of one's own, by its digest
studies/<study_id>/          a search that was asked (study.json) and its trials (00000.json, …)
"""

import hashlib
import io
import json
import re
import uuid
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from typing import Any

import numpy as np

from data_shards import files
from data_shards.errors import DataError, UsageError
from orchestrator import stored
from orchestrator.stored import MENDS
from trainables import checkpoint_names
from trainables.own import Source

SCHEMA = 1
READERS = 16  # of small files at once
TRIAL_FILE = re.compile(r"\d{5}\.json")
"""Of a search; a copy that somebody made is none."""
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
        except (UsageError, DataError):
            raise
        except Exception as error:  # each file system has errors of its own
            raise UsageError(
                f"--storage must be writable, but {files.shown(self.url)!r} is not: {error}"
            ) from error

    def is_asked(self) -> bool:
        """Whether a sweep or a search was asked of it; else a trial looks at the wrong place."""
        return any(files.names(files.join(self.url, kind)) for kind in ("plans", "studies"))

    @contextmanager
    def probe(self) -> Iterator[str]:
        """URL of a new file that stays while this lasts: who can read it sees this storage."""
        url = files.join(self.url, f"probe-{uuid.uuid4().hex}")
        files.write_atomic(url, b"")
        try:
            yield url
        finally:
            files.remove(url)

    def record_ids(self) -> set[str]:
        """Ids of the trials that have a record; only names are listed, nothing is read."""
        return self._ids("records")

    def record(self, trial_id: str) -> Record | None:
        """A trial's record, or None.

        Raises:
            DataError: the file is not a record of this version.
        """
        url = self._of("records", f"{trial_id}.json")
        content = stored.read(url)
        if content is None:
            return None
        record: Record = stored.parse(content, url, stored.RECORD)
        named = record.get("schema") == SCHEMA and record.get("trial_id") == trial_id
        if not named or "value" not in record.get("selection", {}):
            shown = files.shown(url)
            raise DataError(f"{shown} is no record of {trial_id}, version {SCHEMA}: {MENDS}")
        return record

    def records(self, trial_ids: Iterable[str], *, keep: Sequence[str]) -> dict[str, Record]:
        """Some fields of the records that there are of these trials, by trial id.

        Many are read at once, since each is a request; only what is kept takes memory.

        Raises:
            DataError: a file is not a record of this version.
        """
        ids = sorted(self.record_ids() & set(trial_ids))

        def read(trial_id: str) -> Record:
            record = self.record(trial_id) or {}
            return {name: record[name] for name in keep if name in record}

        with ThreadPoolExecutor(READERS) as pool:
            return dict(zip(ids, pool.map(read, ids), strict=True))

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

    def failures(self, trial_ids: Iterable[str]) -> dict[str, Record]:
        """Why the last try of each of these trials failed, by trial id: `kind`, `reason`, `time`.

        A record outweighs it: a kill may have left both.
        """
        found = {name: self.failure(name) for name in sorted(self.failure_ids() & set(trial_ids))}
        return {name: failure for name, failure in found.items() if failure}

    def failure_ids(self) -> set[str]:
        """Ids of the trials whose last try failed; only names are listed."""
        return self._ids("failures")

    def failure(self, trial_id: str) -> Record | None:
        """Why the last try of a trial failed, or None."""
        url = self._of("failures", f"{trial_id}.json")
        content = stored.read(url)
        return (
            None
            if content is None
            else stored.parse(content, url, stored.FAILURE, needs=list(stored.FAILURE))
        )

    def write_failure(self, trial_id: str, failure: Record) -> None:
        """Keep why a try failed."""
        self._write_json(failure, "failures", f"{trial_id}.json")

    def remove_failure(self, trial_id: str) -> None:
        """A later try ended with a record."""
        files.remove(self._of("failures", f"{trial_id}.json"))

    def _ids(self, kind: str) -> set[str]:
        listed = (name.partition(".json") for name in files.names(self._of(kind)))
        return {trial_id for trial_id, suffix, _ in listed if suffix}

    def _of(self, *names: str) -> str:
        return files.join(self.url, *names)

    def plans(self) -> list[dict[str, Any]]:
        """The sweeps asked of this storage."""
        return [self.plan(name) for name in files.names(self._of("plans"))]

    def plan(self, name: str) -> dict[str, Any]:
        """A sweep's question by its file's name."""
        url = self._of("plans", name)
        return stored.parse(stored.read(url) or b"", url, stored.PLAN, needs=("sweep",))

    def write_plan(self, plan: dict[str, Any]) -> None:
        """Keep a sweep's question; the highest number of seeds asked so far stays."""
        url = files.join(self.url, "plans", f"{plan['plan_id']}.json")
        before = stored.parse(stored.read(url) or b"{}", url, stored.PLAN)
        seeds = max(plan["seeds"], before.get("seeds", 0))
        text = json.dumps(plan | {"seeds": seeds}, indent=1, sort_keys=True)
        files.write_atomic(url, text.encode())

    def studies(self) -> list[dict[str, Any]]:
        """The searches asked of this storage."""
        found = (self.study(name) for name in files.names(files.join(self.url, "studies")))
        return [study for study in found if study]

    def study(self, study_id: str) -> dict[str, Any]:
        """A search's question; empty if it was never asked."""
        url = files.join(self.url, "studies", study_id, "study.json")
        return stored.parse(stored.read(url) or b"{}", url, stored.STUDY)

    def write_study(self, study_id: str, study: dict[str, Any]) -> None:
        """Keep a search's question."""
        self._write_json(study, "studies", study_id, "study.json")

    def study_trials(self, study_id: str) -> list[dict[str, Any]]:
        """A search's trials in order of their numbers."""
        folder = files.join(self.url, "studies", study_id)
        urls = [files.join(folder, n) for n in files.names(folder) if TRIAL_FILE.fullmatch(n)]
        return [stored.parse(stored.read(url) or b"", url, stored.TRIAL) for url in urls]

    def write_study_trial(self, study_id: str, trial: dict[str, Any]) -> None:
        """Keep the state of a search's trial."""
        self._write_json(trial, "studies", study_id, f"{trial['number']:05}.json")

    def study_owner(self, study_id: str) -> str:
        """Mark of the command that began or continued a search last."""
        url = files.join(self.url, "studies", study_id, "owner.json")
        return str(stored.parse(stored.read(url) or b"{}", url).get("owner", ""))

    def write_study_owner(self, study_id: str, owner: str) -> None:
        """Take a search over."""
        self._write_json({"owner": owner}, "studies", study_id, "owner.json")

    def write_trainable(self, source: Source) -> None:
        """Keep a source for the nodes that run it; its name is its digest."""
        url = self._of("trainables", f"{source.sha256}.py")
        files.write_atomic(url, source.text.encode())

    def trainable(self, reference: str) -> Source:
        """The source that an experiment's `trainable` names: exactly that text.

        Raises:
            DataError: it is missing, or another one by now: it is not run.
        """
        name, _, digest = reference.partition("@")
        url = self._of("trainables", f"{digest}.py")
        content = stored.read(url)
        if content is None or hashlib.sha256(content).hexdigest() != digest:
            what = "is missing" if content is None else "was changed, and is not run"
            raise DataError(
                f"{files.shown(url)} must be the source of {name}, but {what}: the same `sweep` "
                "command writes it again."
            )
        return Source(name, content.decode())

    def _write_json(self, value: dict[str, Any], *names: str) -> None:
        """Fields stay in their order: that of a search's space is the order of its columns."""
        text = json.dumps(value, indent=1)
        files.write_atomic(files.join(self.url, *names), text.encode())

    def queries(self, trial_id: str) -> dict[str, np.ndarray]:
        """Per-query arrays of a recorded trial."""
        url = self._of("queries", f"{trial_id}.npz")
        content = stored.read(url)
        if content is None:
            raise DataError(f"{files.shown(url)} is missing: the same `sweep` command mends it.")
        return stored.arrays(content, url)

    def report_ids(self) -> set[str]:
        """Ids of the trials that have reports; only names are listed."""
        return self._ids("reports")

    def reports(self, trial_id: str) -> list[dict[str, Any]]:
        """Reports of a trial so far, one an epoch; what stands before the first damaged line."""
        url = files.join(self.url, "reports", f"{trial_id}.jsonl")
        lines, found = (stored.read(url) or b"").splitlines(), []
        with suppress(DataError):  # epochs behind a damaged line come again
            for line in lines:
                found.append(stored.parse(line, url, stored.REPORT, needs=("epoch",)))
        return found

    def write_reports(self, trial_id: str, reports: list[dict[str, Any]]) -> None:
        """Replace a trial's reports. Whole and atomic: an object store cannot append."""
        text = "".join(json.dumps(report, sort_keys=True) + "\n" for report in reports)
        files.write_atomic(files.join(self.url, "reports", f"{trial_id}.jsonl"), text.encode())

    def checkpoints_url(self, trial_id: str) -> str:
        """Folder of a trial's checkpoints."""
        return files.join(self.url, "checkpoints", trial_id)

    def models_url(self, trial_id: str) -> str:
        """Folder of a finished trial's chosen weights."""
        return files.join(self.url, "models", trial_id)

    def pictures_url(self, trial_id: str) -> str:
        """Folder of a finished trial's pictures."""
        return files.join(self.url, "pictures", trial_id)

    def picture_ids(self) -> set[str]:
        """Ids of the trials that have pictures; only names are listed."""
        return set(files.names(files.join(self.url, "pictures")))

    def pictures(self, trial_id: str) -> dict[str, bytes]:
        """A trial's pictures (PNG) by file name."""
        folder = self.pictures_url(trial_id)
        return {
            name: files.read_bytes(files.join(folder, name)) or b"" for name in files.names(folder)
        }

    def keep_model(self, trial_id: str, *, epoch: int) -> None:
        """Keep the weights that a trial's record speaks of: those of its chosen epoch.

        Raises:
            DataError: they are gone.
        """
        source = files.join(self.checkpoints_url(trial_id), checkpoint_names.best(epoch))
        content = files.read_bytes(source)
        if content is None:
            raise DataError(f"{files.shown(source)} must stay until it is kept, but is gone.")
        files.write_atomic(files.join(self.models_url(trial_id), "best.pt"), content)

    @property
    def features_url(self) -> str:
        """Where nodes share derived features; "" on a local path, which one node's cache serves."""
        return files.join(self.url, "features") if files.is_remote(self.url) else ""

    def checkpoint_ids(self) -> set[str]:
        """Ids of the trials that have checkpoints; only names are listed."""
        return set(files.names(files.join(self.url, "checkpoints")))

    def remove_checkpoints(self, trial_id: str) -> None:
        """Delete a recorded trial's checkpoints."""
        files.remove_folder(self.checkpoints_url(trial_id))
