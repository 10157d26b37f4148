"""How a sweep was run: trials, budget, hours, machines and versions."""

import time
from collections import Counter
from collections.abc import Iterable

from orchestrator.report.grid import NOTHING, Grid, Head, Line
from orchestrator.report.table import Group, Table
from orchestrator.status import trial_status
from orchestrator.storage import Storage
from orchestrator.version import PACKAGES
from search_spaces.designs import Trial
from trainables.experiment import Experiment

CHOSEN = {
    "val": "the highest sum of both R@1 on held-out validation classes",
    "last": "the last one, without a choice; the validation classes are trained on too",
    "test": "oracle: the highest sum of both R@1 on the test split, the thesis author's practice",
}
"""How a trial's epoch is chosen, by `selection`."""


def running_grid(table: Table) -> Grid:
    """What was run, a column a data set."""
    columns = [_running(group) for group in table.groups]
    lines = [Line(name, [facts[name] for facts in columns]) for name in columns[0]]
    heads = [Head(name=group.name) for group in table.groups]
    return Grid("run", "What was run, and where.", heads, lines, numeric=False)


def _running(group: Group) -> dict[str, str]:
    base, records = group.question.base, group.records.values()
    places = [record["environment"] for record in records]
    dropped = [record["dropped"] for record in records]
    return {
        "trials recorded": f"{len(records)} of {len(group.trials)}",
        "still undecided": group.answer.undecided or "nothing",
        "seeds": str(group.question.seeds),
        "epochs": str(base.epochs),
        "epoch chosen": CHOSEN[base.selection],
        "batch size": str(base.batch_size),
        "precision": base.precision,
        **_model(base),
        "hours of training": f"{sum(record['seconds'] for record in records) / 3600:.2f}",
        "samples dropped": str(sum(sum(counts.values()) for counts in dropped)),
    } | {
        name: _distinct(str(place.get(key, "unknown")) for place in places)
        for name, key in (
            ("code", "code"), ("hosts", "host"), ("devices", "device"), ("threads", "threads"),
            ("Python", "python"), *((name, name) for name in PACKAGES),
        )
    }  # fmt: skip


def _model(base: Experiment) -> dict[str, str]:
    if base.trainable:
        return {"trainable": base.model}
    return {"image encoder": base.image_encoder, "speech encoder": base.speech_encoder}


def _distinct(values: Iterable[str]) -> str:
    return ", ".join(sorted(set(values))) or NOTHING


def missing_trials(group: Group, storage: Storage) -> list[str]:
    """A sentence for each trial without a record: how far it came, and why not further."""
    lacking = [trial for trial in group.trials if trial.id not in group.records]
    now = time.time()
    return [
        f"{group.name}: {trial.name} ({trial.id}) is not recorded; {_progress(trial, storage, now)}"
        for trial in lacking
    ]


def dropped(group: Group) -> list[str]:
    """A sentence for each reason for which trials left samples out."""
    counts: Counter[str] = Counter()
    for record in group.records.values():
        counts.update(record["dropped"])
    return [
        f"{group.name}: {count} samples were dropped: {reason}."
        for reason, count in sorted(counts.items())
        if count
    ]


def _progress(trial: Trial, storage: Storage, now: float) -> str:
    never = {"time": 0.0}  # a report that does not say when it was made
    reports = [never | report for report in storage.reports(trial.id)]
    found = trial_status(trial, reports, storage.failure(trial.id), now=now)
    if found.reason:
        return f"{found.progress.rstrip('.')}."
    if not found.epoch:
        return "it has reported no epoch."
    return f"under way or stopped after epoch {found.epoch}."
