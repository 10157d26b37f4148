"""`new`: files that run as they are, and that overwrite nothing."""

import re
import shlex
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from data_shards.errors import UsageError
from orchestrator.cli import cli
from search_spaces import sweep
from tests import made
from tests.orchestrator.command import TINY
from trainables import own


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr(sweep, "_OWN", {})
    monkeypatch.chdir(tmp_path)
    return tmp_path


def _new(*arguments):
    return CliRunner().invoke(cli, ["new", *arguments], catch_exceptions=False).output


def test_a_new_sweep_can_be_planned_at_once(folder):
    assert "python -m orchestrator plan mine.py" in _new("sweep", "mine")
    assert "orchestrator sweep mine.py" in Path("mine.py").read_text()
    made.make(folder / "tones")
    line = ["plan", "mine.py", "--storage", "runs", "--data", "tones", *TINY]
    shown = CliRunner().invoke(cli, line, catch_exceptions=False).output
    assert "speech_attention=on gamma=5 seed=0" in shown
    assert "4 trials: 0 recorded in runs, 4 to run." in shown


def test_a_new_trainable_is_one(folder):
    assert 'trainable="my_model.py"' in _new("trainable", "my_model")
    assert own.read(Path("my_model.py")).defaults == {"size": 32, "lr": 0.01, "temperature": 0.1}


@pytest.mark.parametrize("kind", ["sweep", "trainable"])
def test_nothing_is_overwritten(folder, kind):
    Path("mine.py").write_text("mine")
    with pytest.raises(UsageError, match="mine.py must not be there yet, but is"):
        _new(kind, "mine")
    assert Path("mine.py").read_text() == "mine"


@pytest.mark.parametrize("name", ["../mine", "a b", "3", "mine.py"])
@pytest.mark.parametrize("kind", ["sweep", "trainable"])
def test_a_name_that_could_not_be_used_is_refused(folder, kind, name):
    with pytest.raises(UsageError, match="must be named like my_file.py"):
        _new(kind, name)
    assert not list(folder.iterdir())


def test_a_sweep_is_not_called_as_a_built_in_one(folder):
    with pytest.raises(UsageError, match="must not be called as a built-in one, but got gamma"):
        _new("sweep", "gamma")


def test_every_command_of_the_page_parses(folder):
    """`new` is run, so that its files are there for the others, which are only parsed."""
    page = (Path(__file__).parents[2] / "docs" / "your-own.md").read_text()
    blocks = "\n".join(re.findall(r"```sh\n(.*?)```", page, re.DOTALL))
    lines = [shlex.split(line)[3:] for line in blocks.splitlines() if line]
    assert [line[0] for line in lines].count("sweep") == 2
    for line in lines:
        if line[0] == "new":
            _new(*line[1:])
            continue
        command = cli.get_command(click.Context(cli), line[0])
        assert command.make_context(line[0], line[1:]).params["name"] in (
            "my_question",
            "my_models",
        )
