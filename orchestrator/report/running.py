"""How a sweep was run: trials, budget, hours, machines, versions, and the commands to repeat it."""

import shlex
import time
from collections.abc import Iterable
from typing import Any

from data_shards import files
from data_shards.datasets import synth
from orchestrator.planning import Question
from orchestrator.report.grid import NOTHING, Grid, Head, Line
from orchestrator.report.table import Group, Table
from orchestrator.status import trial_status
from orchestrator.storage import Storage
from search_spaces.designs import Trial
from trainables.presets import PRESETS

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
        "image encoder": base.image_encoder,
        "speech encoder": base.speech_encoder,
        "hours of training": f"{sum(record['seconds'] for record in records) / 3600:.2f}",
        "samples dropped": str(sum(sum(counts.values()) for counts in dropped)),
    } | {
        name: _distinct(str(place.get(key, "unknown")) for place in places)
        for name, key in (
            ("code", "code"), ("hosts", "host"), ("devices", "device"), ("threads", "threads"),
            ("Python", "python"), ("torch", "torch"), ("Ray", "ray"),
        )
    }  # fmt: skip


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


def _progress(trial: Trial, storage: Storage, now: float) -> str:
    reports, failure = storage.reports(trial.id), storage.failure(trial.id)
    found = trial_status(trial, reports, failure, now=now)
    if found.reason:
        return f"{found.progress.rstrip('.')}."
    if not found.epoch:
        return "it has reported no epoch."
    return f"under way or stopped after epoch {found.epoch}."


def commands(table: Table, storage: Storage) -> list[str]:
    """What makes these records, a line a data set, and this report again."""
    at = ["--storage", files.shown(storage.url)]
    asked = (group.question for group in table.groups)
    sweeps = [_line([*_words(question), *at]) for question in asked]
    return [*sweeps, _line(["report", table.sweep.name, *at])]


def _words(question: Question) -> list[str]:
    """The name of the data set in capitals stands for the folder in which it is packed."""
    built_in = question.dataset == synth.DATASET
    data = [] if built_in else ["--data", question.dataset.upper()]
    seeds = ["--seeds", str(question.seeds)]
    return ["sweep", question.sweep.name, *data, *_settings(question), *seeds]


def exact(value: Any) -> str:
    """A field's value as `--set` takes it, with all its digits."""
    if isinstance(value, bool):
        return "on" if value else "off"
    return str(value).removesuffix(".0")


def _settings(question: Question) -> list[str]:
    """`--preset` and `--set` of a base, from the preset that needs the fewest."""
    changes = {name: _changes(question, name) for name in PRESETS}
    preset = min(changes, key=lambda name: len(changes[name]))
    settings = [f"{name}={value}" for name, value in changes[preset].items()]
    return ["--preset", preset, *(word for setting in settings for word in ("--set", setting))]


def _changes(question: Question, preset: str) -> dict[str, str]:
    own = question.base.flat()
    given = question.sweep.base(PRESETS[preset], {}).flat()
    decided = {"data", "seed", *question.sweep.design.fields}
    return {
        name: exact(own[name])
        for name in own
        if name not in decided and own[name] != given.get(name)
    }


def _line(words: list[str]) -> str:
    return shlex.join(["python", "-m", "orchestrator", *words])
