"""The command line. Commands import what they need in their bodies, so that help is instant."""

import click

from orchestrator.cli.data import data
from orchestrator.cli.doctor import doctor
from orchestrator.cli.examples import TOUR
from orchestrator.cli.explain import explain
from orchestrator.cli.jobs import submit
from orchestrator.cli.new import new
from orchestrator.cli.plans import plan
from orchestrator.cli.query import query
from orchestrator.cli.results import list_, report, ui
from orchestrator.cli.status import status
from orchestrator.cli.sweeps import sweep
from orchestrator.cli.sync import sync
from orchestrator.cli.teaching import Sectioned, with_examples


@click.group(
    cls=Sectioned,
    context_settings={"help_option_names": ["-h", "--help"]},
    invoke_without_command=True,
)
@click.version_option(package_name="vfsel-orchestrator")
@click.pass_context
def cli(context: click.Context) -> None:
    """Ask a speech-image retrieval model a question: sweep it, track it, answer it.

    \b
    python -m orchestrator sweep gamma            which γ? (on built-in spoken flowers)
    python -m orchestrator data pack oxford102 …  pack your own copy of a data set
    python -m orchestrator list                   what can be asked
    python -m orchestrator COMMAND --help         how, with examples
    """
    if context.invoked_subcommand is None:
        click.echo(TOUR, nl=False)


for command in (
    data,
    doctor,
    explain,
    list_,
    new,
    plan,
    query,
    report,
    status,
    submit,
    sweep,
    sync,
    ui,
):
    cli.add_command(command)
with_examples(cli)
