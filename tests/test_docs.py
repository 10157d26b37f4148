"""The pages in `docs/`: every command parses, and those of the tutorial run.

The README's commands are parsed by `test_readme.py`; of these, `.ci/run` runs `list`, `plan`,
`report gamma` and the sweep of losses on the built-in set, as they stand there. Its other sweeps
run here on tones, as do the commands of the tutorial.
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
ON_TONES = [*TINY, "--data", "tones", "--set", "epochs=1"]
SMALL = [*ON_TONES, "--seeds", "2"]
OF_README = r"(sweep|report) (components|tune)( --trials 12| --out report| --export-study \S+)?$"
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


@pytest.mark.slow
def test_the_readmes_components_and_tune_run(tmp_path):
    made.make(tmp_path / "tones")
    found = [line for line in commands(ROOT / "README.md") if re.search(OF_README, line)]
    assert [line.split()[3] for line in found] == ["sweep", "report", "sweep", "report"]
    for command in found:
        name, *rest = shlex.split(command)[3:]
        small = ON_TONES if name == "sweep" else []
        done = run(name, *rest, *small, folder=tmp_path)
        assert done.returncode == 0, done.stderr
    assert (tmp_path / "tune.db").stat().st_size > 0


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
    assert "shows: nothing with fewer than 5 seeds" in said["plan"]
    assert "R@1 sum on the test split, against image_attention=B3:" in said["sweep"]
    assert "not enough data (3 more seeds" in said["sweep"]
    assert "6 recorded" in said["status"]
    written = {path.suffix for path in (tmp_path / "report").iterdir()}
    assert {".html", ".md", ".tex", ".csv"} <= written


def _tutorial() -> list[str]:
    return [line for line in commands(TUTORIAL) if line.split()[3] != SERVES]
