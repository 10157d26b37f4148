"""The pages in `docs/`: every command parses, and those of the tutorial run.

The README's commands are parsed by `test_readme.py`; of these, `.ci/run` runs `list`, `plan`,
`report`, and the sweeps of attention placement, components, losses and `tune`, as they stand
there. The tutorial asks what the README asks of attention placement: CI so trains it in full.
Each other command is run, on small data, by the tests of its own: `orchestrator/test_cli_*.py`,
`test_own_data.py` (the five of the quickstart), `test_own_sweep.py`, `test_own_trainable.py`,
`test_tuning.py`, `test_jobs_run.py` (`submit`).
"""

import re
import shlex

import pytest

from tests import made
from tests.orchestrator.command import TINY, run
from tests.test_readme import ROOT, commands, parse

PAGES = sorted(ROOT.glob("docs/*.md"))
TUTORIAL = ROOT / "docs" / "tutorial.md"
ASKED = ["--set", "epochs=3", "--seeds", "5"]
SMALL = [*TINY, "--data", "tones", "--set", "epochs=1", "--seeds", "2"]
SERVES = "ui"
"""Runs until it is stopped; `orchestrator/test_ui.py` starts it."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Of a user who has followed `your-own.md`: its commands name these files."""
    path = tmp_path_factory.mktemp("user")
    for name in ("my_question", "my_models"):
        (path / f"{name}.py").write_text((ROOT / "orchestrator/templates/sweep.py").read_text())
    return path


@pytest.mark.parametrize(
    ("page", "command"), [(page.name, command) for page in PAGES for command in commands(page)]
)
def test_every_command_of_the_docs_parses(page, command, folder, monkeypatch):
    monkeypatch.chdir(folder)
    parse(command)


def test_the_tutorials_sweep_is_one_that_ci_runs():
    (swept,) = _tutorial("sweep")
    wanted = re.search(r"grep -E '(.*)' README.md", (ROOT / ".ci/run").read_text())[1]
    listed = [line for line in commands(ROOT / "README.md") if re.search(wanted, line)]
    assert _words(swept) in [_words(line) for line in listed]


@pytest.mark.slow
def test_the_tutorial_runs(tmp_path):
    """On tones, for one epoch and two seeds: other numbers, the same steps."""
    made.make(tmp_path / "tones")
    said = {}
    for command in _tutorial():
        name, *rest = shlex.split(command)[3:]
        small = [*rest[:1], *SMALL] if rest[1:] == ASKED else rest
        done = run(name, *small, folder=tmp_path, timeout=500)
        assert done.returncode == 0, done.stderr
        said[name] = done.stdout
    assert "shows: differences from" in said["plan"]
    assert "R@1 sum on the test split, against image_attention=B3:" in said["sweep"]
    assert "not enough data (3 more seeds" in said["sweep"]
    assert "6 recorded" in said["status"]
    written = {path.suffix for path in (tmp_path / "report").iterdir()}
    assert {".html", ".md", ".tex", ".csv"} <= written


def _tutorial(name: str = "") -> list[str]:
    found = [line for line in commands(TUTORIAL) if line.split()[3] != SERVES]
    return [line for line in found if name in ("", line.split()[3])]


def _words(command: str) -> set[str]:
    return set(shlex.split(command))
