"""`sync`."""

import json

import click

from data_shards.errors import DataError
from orchestrator.cli.options import json_option, own_sweep, storage_option, tracking_option


@click.command()
@click.argument("name", default="", callback=own_sweep)
@storage_option
@tracking_option
@json_option
def sync(name: str, storage: str, tracking_uri: str, as_json: bool) -> None:
    """Ship what MLflow lacks of all sweeps in a storage, or of the sweep NAME; trains nothing.

    After an outage, into a new server, or to give runs that a killed command left RUNNING their
    true state. Run it again: it sends only what is missing.
    """
    from orchestrator.storage import Storage
    from orchestrator.sync import Sync

    asked, plans = Sync(Storage(storage), tracking_uri, name), []
    for shipped in asked.run():
        plans.append(shipped.to_dict())
        if not as_json:
            click.echo(shipped.text)
    if as_json:
        click.echo(json.dumps({"plans": plans}))
    if asked.errors:
        raise DataError("; ".join(asked.errors))
