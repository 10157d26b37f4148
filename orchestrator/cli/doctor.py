"""`doctor`."""

import json
import os
from typing import TYPE_CHECKING, Any

import click

from orchestrator.cli import data_sets
from orchestrator.cli.options import (
    json_option,
    storage_option,
    tracking_option,
    weights_option,
)

if TYPE_CHECKING:
    from orchestrator.doctor.check import Check


@click.command()
@storage_option
@tracking_option
@click.option("--data", multiple=True, metavar="[NAME=]PLACE", help="Packed data; repeat it.")
@weights_option
@click.option("--address", help="A Ray head (HOST:6379) or its dashboard (http://HOST:8265).  "
              "[$RAY_API_SERVER_ADDRESS or $RAY_ADDRESS]")  # fmt: skip
@click.option("--cpus-per-trial", default=1.0, show_default=True, help="As of the sweep to come.")
@click.option("--gpus-per-trial", default="0", show_default=True, help="As of the sweep to come.")
@click.option("--loader-workers", default=0, show_default=True, help="As of the sweep to come.")
@click.option("--fix", is_flag=True, help="Remove what killed commands left; says each thing.")
@json_option
def doctor(data: tuple[str, ...], address: str | None, as_json: bool, **given: Any) -> int:
    """Look for what would spoil a sweep, before it costs GPU hours; trains nothing.

    The exit code is 1 if there is an error; warnings leave it 0.
    """
    from orchestrator.doctor import examine
    from orchestrator.doctor.check import Asked
    from orchestrator.resources import Resources
    from orchestrator.storage import Storage

    gpus = given.pop("gpus_per_trial")
    names = ("cpus_per_trial", "loader_workers")
    resources = Resources(
        gpus_per_trial=gpus if gpus == "auto" else click.FLOAT(gpus),
        **{name: given.pop(name) for name in names},
    )
    asked = Asked(
        storage=Storage(given.pop("storage")),
        data=tuple(map(data_sets.place, data)),
        address=_address(address),
        resources=resources,
        **given,
    )
    found = []
    for check in examine(asked):
        found.append(check)
        if not as_json:
            click.echo(check.line)
    return _end(found, as_json=as_json)


def _address(given: str | None) -> str:
    """As Ray's settings say; `local` is none."""
    names = ("RAY_API_SERVER_ADDRESS", "RAY_ADDRESS")
    found = given or next((os.environ[name] for name in names if os.environ.get(name)), "")
    return "" if found == "local" else found


def _end(found: "list[Check]", *, as_json: bool) -> int:
    counts = {level: sum(check.level == level for check in found) for level in ("error", "warning")}
    if as_json:
        checks = [check.to_dict() for check in found]
        click.echo(json.dumps({"checks": checks, "errors": counts["error"],
                               "warnings": counts["warning"]}))  # fmt: skip
    else:
        told = (f"{n} {level}{'' if n == 1 else 's'}" for level, n in counts.items())
        click.echo(f"{', '.join(told)}.", err=True)
    return 1 if counts["error"] else 0
