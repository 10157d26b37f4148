"""`list`, `report` and `ui`."""

import json
from pathlib import Path

import click

from orchestrator.cli.options import json_option, storage_option, tracking_option


@click.command("list")
@json_option
def list_(as_json: bool) -> None:
    """Show the sweeps, presets, components, data sets and fields there are."""
    from data_shards import datasets
    from search_spaces import sweep
    from trainables import components
    from trainables.presets import PRESETS

    found = {
        "sweeps": {name: sweep.load(name).question for name in sweep.names()},
        "presets": sorted(PRESETS),
        **{kind: components.names(kind) for kind in components.KINDS},
        "datasets": datasets.names(),
        "fields": PRESETS["thesis"].flat(),
    }
    if as_json:
        click.echo(json.dumps(found))
        return
    for kind, members in found.items():
        click.echo(f"{kind}:")
        for name in members:
            note = f"  {members[name]}" if isinstance(members, dict) else ""
            click.echo(f"  {name}{note}")


@click.command()
@click.argument("name")
@click.option("--out", type=Path, default=Path("report"), show_default=True, help="Folder.")
@storage_option
def report(name: str, out: Path, storage: str) -> None:
    """Write the table of the sweep NAME as CSV and Markdown, from the records alone."""
    from orchestrator.planning import asked_before
    from orchestrator.report import write
    from orchestrator.storage import Storage

    store = Storage(storage)
    for question in asked_before(name, store):
        for path in write(question, store, out):
            click.echo(path)


@click.command()
@tracking_option
@click.option("--port", default=5000, show_default=True, help="On loopback.")
def ui(tracking_uri: str, port: int) -> None:
    """Open MLflow's pages on loopback."""
    from orchestrator.ui import serve

    serve(tracking_uri, port=port)
