"""`query`."""

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from data_shards.errors import UsageError
from orchestrator.cli import data_sets
from orchestrator.cli.options import check_weights, json_option, storage_option, weights_option

if TYPE_CHECKING:
    from data_shards.manifest import Data
    from orchestrator.query.answering import Asked
    from orchestrator.query.page import Answer

_OUT = Path("query.html")


@click.command()
@click.option(
    "--trial",
    default="",
    metavar="ID",
    show_default="the only one",
    help="A finished trial: its id, or how that begins.",
)
@click.option("--wav", type=Path, metavar="FILE", help="A recording: finds images.")
@click.option("--image", type=Path, metavar="FILE", help="A photograph: finds captions.")
@click.option("--data", show_default="the built-in set", metavar="PLACE", help="Any packed data.")
@click.option("--split", default="test", show_default=True, help="Whose images or captions.")
@click.option(
    "--top", default=10, show_default=True, type=click.IntRange(1, 100), help="How many results."
)
@storage_option
@click.option("--out", type=Path, show_default=str(_OUT), help="The page.")
@click.option(
    "--open/--no-open",
    "opened",
    default=None,
    help="Show the page in a browser (default: where there is a screen).",
)
@weights_option
@json_option
def query(
    trial: str,
    wav: Path | None,
    image: Path | None,
    data: str | None,
    split: str,
    top: int,
    storage: str,
    out: Path | None,
    opened: bool | None,
    weights: str,
    as_json: bool,
) -> None:  # fmt: skip
    """Try a trained model: find images by a recording, or spoken captions by a photograph."""
    if (wav is None) == (image is None):
        raise UsageError("a query must be --wav FILE or --image FILE: give one of them.")
    _check_out(out)
    check_weights(weights)
    from data_shards.cache_folder import cache_folder
    from orchestrator.query import answering
    from orchestrator.query.trained import find, trained
    from orchestrator.storage import Storage
    from trainables.weights import use

    store = Storage(storage)
    record = find(store, trial)
    packed = _data(data, record).cached(cache_folder())
    if weights:
        use(weights)
    ask = answering.Asked(trained(store, record), packed, split, top, cache_folder())
    answer = _answered(wav, image, ask)
    if as_json:
        click.echo(json.dumps(_plain(ask, answer)))
    if out or not as_json:
        _show(answer, out or _OUT, opened=opened, quiet=as_json)


def _check_out(out: Path | None) -> None:
    if out and (out.is_dir() or out.suffix != ".html"):
        raise UsageError(f"--out must be a file that ends in .html, but got {str(out)!r}.")


def _data(location: str | None, record: dict[str, Any]) -> "Data":
    """The data to search: those given, else the built-in set if the trial is of it."""
    from data_shards.datasets import synth

    if location is None and record["dataset"] != synth.DATASET:
        raise UsageError(
            f"--data must say where packed data are, since {record['trial_id']} is of "
            f"{record['dataset']} {record['experiment']['data']}."
        )
    return data_sets.open_one((location,) if location else ())


def _answered(wav: Path | None, image: Path | None, ask: "Asked") -> "Answer":
    from orchestrator.query import answering, asked

    if wav is not None:
        return answering.images_for(asked.sound(wav), ask, name=click.format_filename(wav.name))
    assert image is not None, "one of both was given"
    return answering.captions_for(asked.picture(image), ask, name=click.format_filename(image.name))


def _plain(ask: "Asked", answer: "Answer") -> dict[str, Any]:
    return {
        "trial": ask.trained.id,
        "data": ask.data.manifest.hash,
        "split": ask.split,
        "results": [each.described(captions=answer.captions) for each in answer.found],
    }


def _show(answer: "Answer", out: Path, *, opened: bool | None, quiet: bool) -> None:
    import webbrowser

    from data_shards import files
    from orchestrator.query.page import page

    files.write_atomic(out, page(answer).encode())
    if not quiet:
        click.echo(str(out))
    if _screen() and not quiet if opened is None else opened:
        webbrowser.open(out.resolve().as_uri())


def _screen() -> bool:
    """Whether somebody sits here, at a machine with windows."""
    windows = sys.platform in ("darwin", "win32")
    shown = windows or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
    return shown and sys.stdout.isatty()
