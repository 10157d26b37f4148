"""Help that teaches: every example is a command line that the parser accepts."""

import shlex
from collections.abc import Iterator

import click
import pytest
from click.testing import CliRunner

from orchestrator.cli import cli
from orchestrator.cli.examples import EXAMPLES, PROGRAM, SECTIONS, TOUR
from orchestrator.cli.jobs import submit
from orchestrator.cli.sweeps import sweep


def _commands(group: click.Group, prefix: str = "") -> Iterator[str]:
    for name, command in group.commands.items():
        yield f"{prefix}{name}"
        if isinstance(command, click.Group):
            yield from _commands(command, f"{prefix}{name} ")


def _parse(words: list[str]) -> str:
    """Through the real parser, with its checks; nothing is run. The command that they name."""
    context, found, names = cli.make_context("vfsel", list(words)), cli, []
    while isinstance(found, click.Group):
        name, found, words = found.resolve_command(context, list(words))
        assert found is not None, words
        names.append(name)
    asked = found.make_context(found.name, list(words), parent=context).params
    if found is submit:
        sweep.make_context("submit", list(asked["arguments"]))
    return " ".join(names)


WORDS = [(name, words) for name, group in EXAMPLES.items() for words in group.values()]
TOLD = [line.partition(PROGRAM)[2] for line in TOUR.splitlines() if PROGRAM in line]


@pytest.mark.parametrize(("command", "words"), WORDS)
def test_an_example_parses_and_is_of_its_command(command, words):
    assert f"{_parse(shlex.split(words))} ".startswith(f"{command} ")


@pytest.mark.parametrize("words", TOLD)
def test_the_tour_parses(words):
    if words.strip() != "--help":
        _parse(shlex.split(words))


def test_every_command_has_examples_and_a_section():
    assert set(EXAMPLES) == set(_commands(cli))
    assert sorted(name for names in SECTIONS.values() for name in names) == sorted(cli.commands)


def test_examples_stand_in_the_help_as_they_are_typed():
    shown = CliRunner().invoke(cli, ["data", "pack", "--help"]).output
    assert "Examples:" in shown
    for purpose, words in EXAMPLES["data pack"].items():
        assert f"    # {purpose}\n    {PROGRAM} {words}\n" in shown


def test_the_help_has_the_commands_in_their_sections():
    shown = CliRunner().invoke(cli, ["--help"]).output
    ask, look = shown.index("\nAsk:"), shown.index("\nLook:")
    assert ask < shown.index("\n  sweep ") < look < shown.index("\n  status ")


def test_a_command_of_no_section_is_listed_too():
    group = type(cli)("tool", commands=[click.Command("odd", help="Of its own.")])
    shown = CliRunner().invoke(group, ["--help"]).output
    assert shown.endswith("More:\n  odd  Of its own.\n")


def test_without_a_command_a_tour():
    done = CliRunner().invoke(cli, [])
    assert (done.exit_code, done.output) == (0, TOUR)
    assert max(map(len, TOUR.splitlines())) <= 80
