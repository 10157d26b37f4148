"""What stands in deploy/, read for its tests."""

import re
import shlex
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import yaml

from orchestrator.cli import cli

ROOT = Path(__file__).parent.parent.parent
DEPLOY = ROOT / "deploy"
FILES = sorted(path for path in DEPLOY.iterdir() if path.is_file())
OURS = "python -m orchestrator "


def text(name: str) -> str:
    """A file of deploy/."""
    return (DEPLOY / name).read_text()


def cluster() -> dict[str, Any]:
    """Ray's cluster configuration."""
    return yaml.safe_load(text("cluster.yaml"))


def kubernetes() -> list[dict[str, Any]]:
    """The objects of rayjob.yaml."""
    return list(yaml.safe_load_all(text("rayjob.yaml")))


def of_kind(kind: str) -> dict[str, Any]:
    """The one object of that kind."""
    (found,) = (each for each in kubernetes() if each["kind"] == kind)
    return found


def values_of(tree: Any, key: str) -> Iterator[Any]:
    """Every value of that key, however deep."""
    if isinstance(tree, dict):
        yield from (value for name, value in tree.items() if name == key)
        tree = list(tree.values())
    if isinstance(tree, list):
        for each in tree:
            yield from values_of(each, key)


def commands(name: str) -> list[str]:
    """Our own command lines in a file's text, comments and code blocks alike."""
    lines = (line.strip("#` \t") for line in text(name).splitlines())
    return [line.split(" #")[0].strip() for line in lines if line.startswith(OURS)]


def project() -> dict[str, Any]:
    """`[project]` of pyproject.toml."""
    return tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def pinned(package: str) -> str:
    """The package's version in constraints.txt."""
    found = re.search(rf"^{package}==(\S+)$", (ROOT / "constraints.txt").read_text(), re.MULTILINE)
    assert found, package
    return found[1]


def parse(command: str) -> click.Context:
    """The context of one of our command lines, by the real parser."""
    words = shlex.split(command.removeprefix(OURS))
    context, found, rest = cli.make_context("vfsel", words), cli, words
    while isinstance(found, click.Group):
        name, found, rest = found.resolve_command(context, rest)
        assert found is not None, name
    return found.make_context(found.name, list(rest), parent=context)


def mlflow_server(line: str) -> dict[str, Any]:
    """The options of an `mlflow server` line, by MLflow's own parser."""
    from mlflow.cli import cli as mlflow

    return mlflow.commands["server"].make_context("server", shlex.split(line)[2:]).params
