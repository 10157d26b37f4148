"""The command line. Commands import what they need in their bodies, so that help is instant."""

import click

from orchestrator.cli.data import data
from orchestrator.cli.doctor import doctor
from orchestrator.cli.explain import explain
from orchestrator.cli.jobs import status, submit
from orchestrator.cli.results import list_, report, ui
from orchestrator.cli.sweeps import plan, sweep
from orchestrator.cli.sync import sync


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="vfsel-orchestrator")
def cli() -> None:
    """Ask a speech-image retrieval model a question: sweep it, track it, answer it.

    \b
    python -m orchestrator sweep gamma            which γ? (on built-in spoken flowers)
    python -m orchestrator data pack oxford102 …  pack your own copy of a data set
    python -m orchestrator list                   what can be asked
    """


for command in (data, doctor, explain, list_, plan, report, status, submit, sweep, sync, ui):
    cli.add_command(command)
