"""The README's promises: every command in it parses, every link leads somewhere."""

import re
import shlex
from pathlib import Path

import click
import pytest

from orchestrator.cli import cli

ROOT = Path(__file__).parent.parent
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")])


def commands(page: Path) -> list[str]:
    """The lines of a page that call the orchestrator."""
    lines = page.read_text().splitlines()
    return [line.split("#")[0].strip() for line in lines if line.startswith("python -m orch")]


def parse(command: str) -> None:
    """Names, options and values, by the real parser; nothing is run."""
    words = shlex.split(command)[3:]
    context = cli.make_context("vfsel", words)
    found, rest = cli, words
    while isinstance(found, click.Group):
        name, found, rest = found.resolve_command(context, rest)
        assert found is not None, name
    found.make_context(found.name, list(rest), parent=context)


@pytest.mark.parametrize("command", commands(ROOT / "README.md"))
def test_every_command_of_the_readme_parses(command):
    """Which are run, and by what, stands in `test_docs.py`."""
    parse(command)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_somewhere(page):
    for target in re.findall(r"\]\(([^)#]+)\)", page.read_text()):
        if not target.startswith("http"):
            assert (page.parent / target).exists(), target


def test_make_targets_of_the_readme_exist():
    makefile = (ROOT / "Makefile").read_text()
    for target in re.findall(r"^make (\w+)", (ROOT / "README.md").read_text(), re.MULTILINE):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE)
