"""The commands that repeat a report: the whole of it, and each of its rows alone."""

import shlex
from typing import Any, Protocol

from data_shards import files
from data_shards.datasets import synth
from orchestrator.planning import Question, Tuned
from orchestrator.report.table import Group, Table
from orchestrator.storage import Storage
from search_spaces.designs import Trial
from search_spaces.sweep import Sweep
from trainables.experiment import Experiment
from trainables.presets import PRESETS

_OF_A_PLACE = ("data", "seed")


class Asked(Protocol):
    """A sweep or a search that was asked of some data."""

    @property
    def sweep(self) -> Sweep:
        """The question."""

    @property
    def base(self) -> Experiment:
        """What its trials share."""

    @property
    def dataset(self) -> str:
        """Name of the data set."""


def commands(table: Table, storage: Storage) -> list[str]:
    """What makes these records, a line a data set, and this report again; then each row alone."""
    at = ["--storage", files.shown(storage.url)]
    asked = (group.question for group in table.groups)
    sweeps = [line([*_words(question), *at]) for question in asked]
    whole = ["# all of it", *sweeps, line(["report", table.sweep.asked_as, *at])]
    rows = [
        text
        for group in table.groups
        for cell in group.cells
        for text in ("", f"# {group.name}: {cell.label}", row_command(group, cell.label, storage))
    ]
    return [*whole, *rows]


def row_command(group: Group, label: str, storage: Storage) -> str:
    """A cell as a sweep of one point, with all that differs from the preset nearest to it.

    Of a trainable of one's own: the whole sweep, which runs only what is missing.
    """
    trials = group.trials_of(label)
    if trials[0].experiment.trainable:  # only its own sweep has its file
        return line([*_words(group.question), "--storage", files.shown(storage.url)])
    words = ["sweep", "point", *data_words(group.question), *_point(trials[0])]
    seeds = ["--seeds", str(1 + max(trial.experiment.seed for trial in trials))]
    return line([*words, *seeds, "--storage", files.shown(storage.url)])


def exact(value: Any) -> str:
    """A field's value as `--set` takes it, with all its digits."""
    if isinstance(value, bool):
        return "on" if value else "off"
    return str(value).removesuffix(".0")


def _point(trial: Trial) -> list[str]:
    own = trial.experiment.flat()
    return _nearest(
        {
            name: {
                field: exact(value)
                for field, value in own.items()
                if field not in _OF_A_PLACE and preset.flat().get(field) != value
            }
            for name, preset in PRESETS.items()
        }
    )


def _words(question: Question) -> list[str]:
    seeds = ["--seeds", str(question.seeds)]
    name = question.sweep.asked_as
    words = ["sweep", name, *data_words(question), *settings_words(question), *seeds]
    return words + (_tuning_words(question.tuned) if question.tuned else [])


def _tuning_words(tuned: Tuned) -> list[str]:
    words = ["--tune-first", "--trials", str(tuned.trials)]
    words += ["--sampler", tuned.sampler, "--pruner", tuned.pruner]
    return words + (["--min-epochs", str(tuned.min_epochs)] if tuned.min_epochs else [])


def data_words(question: Asked) -> list[str]:
    """`--data`, but for the built-in set: the data set's name in capitals, for its folder."""
    built_in = question.dataset == synth.DATASET
    return [] if built_in else ["--data", question.dataset.upper()]


def settings_words(question: Asked) -> list[str]:
    """`--preset` and `--set`, what the sweep decides left out."""
    return _nearest({name: _changes(question, name) for name in PRESETS})


def _nearest(changes: dict[str, dict[str, str]]) -> list[str]:
    """`--preset` and `--set` from the preset that needs the fewest."""
    preset = min(changes, key=lambda name: len(changes[name]))
    settings = [f"{name}={value}" for name, value in changes[preset].items()]
    return ["--preset", preset, *(word for setting in settings for word in ("--set", setting))]


def _changes(question: Asked, preset: str) -> dict[str, str]:
    own = question.base.flat()
    given = question.sweep.base(PRESETS[preset], {}).flat()
    decided = {*_OF_A_PLACE, *question.sweep.design.fields}
    return {
        name: exact(own[name])
        for name in own
        if name not in decided and own[name] != given.get(name)
    }


def line(words: list[str]) -> str:
    """The words as a shell takes them."""
    return shlex.join(["python", "-m", "orchestrator", *words])
