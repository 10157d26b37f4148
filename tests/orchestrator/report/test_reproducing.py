"""Commands that ask the same again: the sweep, and each of its rows alone."""

import shlex

import pytest

from orchestrator.cli import cli
from orchestrator.planning import asked_before
from orchestrator.report.reproducing import commands, row_command
from orchestrator.report.table import collect
from orchestrator.storage import Storage
from search_spaces.sweep import load
from tests.orchestrator.report.recorded import asked
from trainables.presets import PRESETS


def _asked_by(line):
    """What the real parser makes of a command, and the base that it asks of."""
    words = shlex.split(line)[3:]
    name, command, rest = cli.resolve_command(cli.make_context("vfsel", words), words)
    given = command.make_context(name, list(rest)).params
    settings = dict(setting.split("=") for setting in given["settings"])
    return given, load(given["name"]).base(PRESETS[given["preset"]], settings)


@pytest.mark.parametrize(
    ("sweep", "settings"),
    [
        ("gamma", {"learning_rate": "0.00123456789", "epochs": "3"}),
        ("attention_placement", {"loss": "triplet", "margin": "0.2", "finetune": "on"}),
        ("components", {}),
    ],
)
def test_the_command_asks_the_same_question(tmp_path, sweep, settings):
    storage, question = Storage(str(tmp_path)), asked(sweep, seeds=3, **settings)
    storage.write_plan(question.to_dict())
    _, line, *_ = commands(collect(asked_before(sweep, storage), storage), storage)
    given, base = _asked_by(line)
    assert base.replace(data=question.base.data) == question.base
    assert (given["name"], given["seeds"], given["storage"]) == (sweep, 3, str(tmp_path))


@pytest.mark.parametrize(
    ("sweep", "settings"),
    [
        ("gamma", {"learning_rate": "0.00123456789"}), ("components", {"epochs": "3"}),
        ("attention_placement", {"loss": "triplet", "margin": "0.2"}), ("loss", {}),
        ("flickr8k", {}),
    ],
)  # fmt: skip
def test_the_command_of_a_row_runs_its_trials_and_no_other(tmp_path, sweep, settings):
    storage, question = Storage(str(tmp_path)), asked(sweep, seeds=3, **settings)
    (group,) = collect([question], storage).groups
    for cell in group.cells:
        given, base = _asked_by(row_command(group, cell.label, storage))
        assert (given["name"], given["storage"]) == ("point", str(tmp_path))
        found = load("point").plan(
            base.replace(data=question.base.data), range(given["seeds"]), lambda _: None
        )
        ids = {trial.resolved().id for trial in found.trials}
        assert ids == {trial.id for trial in group.trials_of(cell.label)}
