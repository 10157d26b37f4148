"""`list`, `report` and `ui`."""

import dataclasses
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from data_shards.errors import DataError, UsageError
from orchestrator.cli.options import json_option, own_sweep, storage_option, tracking_option

if TYPE_CHECKING:
    from orchestrator.storage import Storage
    from trainables.losses.base import Loss


@click.command("list")
@click.option("--models", is_flag=True, help="Parameters of each encoder, instead.")
@json_option
def list_(models: bool, as_json: bool) -> None:
    """Show the sweeps, presets, components, data sets and fields there are.

    With --models, each encoder's parameters at preset thesis; no weights are needed.
    """
    if models:
        _list_models(as_json)
        return
    from data_shards import datasets
    from search_spaces import sweep
    from trainables import components
    from trainables.losses import loss_class
    from trainables.presets import PRESETS

    found: dict[str, Any] = {
        "sweeps": {name: sweep.load(name).question for name in sweep.names()},
        "presets": sorted(PRESETS),
        **{kind: components.names(kind) for kind in components.KINDS},
        "losses": {name: _fields_of(loss_class(name)) for name in components.names("losses")},
        "datasets": datasets.names(),
        "fields": PRESETS["thesis"].flat(),
    }
    if as_json:
        click.echo(json.dumps(found))
        return
    demo = PRESETS["demo"].flat()
    for kind, members in found.items():
        click.echo(f"{kind}:" + ("  (preset thesis; demo)" if kind == "fields" else ""))
        for name in members:
            note = f"  {members[name]}" if isinstance(members, dict) else ""
            if kind == "fields" and demo[name] != members[name]:
                note += f"; {demo[name]}"
            click.echo(f"  {name}{note}")


def _list_models(as_json: bool) -> None:
    from trainables.model_sizes import model_sizes

    found = model_sizes()
    if as_json:
        click.echo(json.dumps(found))
        return
    click.echo("Parameters at preset thesis; an image side has CBAM at B3, batch norm, linear.")
    columns = ("backbone", "total", "trained", "frozen")
    for kind, members in found.items():
        click.echo(f"{kind + ':':22}" + "".join(f"{column:>14}" for column in columns))
        for name, counts in members.items():
            cells = [counts[column] for column in columns] if counts else []
            shown = "".join(f"{cell:>14,}" for cell in cells) or "  not installed"
            click.echo(f"  {name:20}{shown}")


def _fields_of(loss: type["Loss"]) -> str:
    """E.g. `--set margin=1.0 --set impostors=one`."""
    return " ".join(f"--set {f.name}={f.default}" for f in dataclasses.fields(loss))


@click.command()
@click.argument("name", callback=own_sweep)
@click.option("--out", type=Path, default=Path("report"), show_default=True, help="Folder.")
@click.option("--export-study", metavar="sqlite:///FILE", help="Searches: also for Optuna's tools.")
@storage_option
def report(name: str, out: Path, export_study: str | None, storage: str) -> None:
    """Write what the sweep NAME found, from the results alone: HTML, Markdown, LaTeX and CSV.

    A sweep asked of several data sets with the same settings gives one report.
    """
    from orchestrator.cli.searches import is_search
    from orchestrator.report.sound import Sound, said

    search = is_search(name)  # an unknown sweep is said with a guess
    if out.exists() and not out.is_dir():
        raise UsageError(f"--out must be a folder, but {out} is a file.")
    store = Sound(storage)
    if search:
        _report_searches(name, out, export_study, store)
        return
    if export_study:
        raise UsageError(f"--export-study is for searches such as tune, but {name} is none.")
    from orchestrator.planning import asked_before
    from orchestrator.report import together, write

    for questions in together(asked_before(name, store)):
        base, data = questions[0].base, ", ".join(question.dataset for question in questions)
        click.echo(f"{data}, {base.model}, {base.epochs} epochs:")
        for path in write(questions, store, out):
            click.echo(f"  {path}")
    if store.damaged:
        raise DataError(said(store.damaged))


def _report_searches(name: str, out: Path, export_study: str | None, store: "Storage") -> None:
    from orchestrator.search.question import searches_before
    from orchestrator.search.report import check_export, export, write

    if export_study:
        check_export(export_study)
    for question in searches_before(name, store):
        for path in write(question, store, out):
            click.echo(path)
        if export_study:
            click.echo(f"{export_study}: {export(question, store, export_study)}")


@click.command()
@tracking_option
@click.option("--port", default=5000, show_default=True, help="On loopback.")
def ui(tracking_uri: str, port: int) -> None:
    """Serve MLflow's pages on loopback."""
    from orchestrator.ui import serve

    serve(tracking_uri, port=port)
