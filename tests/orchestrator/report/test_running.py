"""What was run: budget and places, missing trials, commands that ask the same again."""

import shlex

import pytest

from orchestrator.cli import cli
from orchestrator.planning import asked_before
from orchestrator.report.running import commands, missing_trials, running_grid
from orchestrator.report.table import collect
from orchestrator.storage import Storage
from search_spaces.sweep import load
from tests.orchestrator.report.recorded import asked, record_all
from trainables.presets import PRESETS


def test_hours_hosts_and_missing_trials(tmp_path):
    storage, question = Storage(str(tmp_path)), asked("loss", seeds=2)
    record_all(storage, question, {"loss=matching": [50.0, 51.0]})
    lacking, failed = question.plan(storage).trials[2:]
    storage.write_reports(lacking.id, [{"epoch": n, "time": 10.0 * n} for n in (1, 2)])
    table = collect([question], storage)
    lines = {line.label: line.cells[0] for line in running_grid(table).lines}
    assert lines["trials recorded"] == "2 of 4"
    assert lines["hours of training"] == "1.00"
    assert (lines["hosts"], lines["code"], lines["Ray"]) == ("node7", "0.1.0+abc", "2")
    begun, never = missing_trials(table.groups[0], storage)
    assert begun.endswith("under way or stopped after epoch 2.")
    assert lacking.id in begun
    assert never.endswith("it has reported no epoch.")
    failure = {"kind": "not finite", "reason": "the loss must be finite", "time": 15.0}
    for trial in (lacking, failed):
        storage.write_failure(trial.id, failure)
    begun, never = missing_trials(table.groups[0], storage)
    assert begun.endswith("under way or stopped after epoch 2.")  # it was tried again since
    assert never.endswith("failed after epoch 0 of 10: the loss must be finite.")


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
    line, _ = commands(collect(asked_before(sweep, storage), storage), storage)
    words = shlex.split(line)[3:]
    name, command, rest = cli.resolve_command(cli.make_context("vfsel", words), words)
    given = command.make_context(name, list(rest)).params
    settings = dict(setting.split("=") for setting in given["settings"])
    base = load(sweep).base(PRESETS[given["preset"]], settings)
    assert base.replace(data=question.base.data) == question.base
    assert (given["name"], given["seeds"], given["storage"]) == (sweep, 3, str(tmp_path))
