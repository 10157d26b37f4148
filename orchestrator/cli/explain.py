"""`explain`."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from data_shards.errors import UsageError
from orchestrator.cli import data_sets
from orchestrator.cli.options import check_weights, storage_option, weights_option

if TYPE_CHECKING:
    from data_shards.manifest import Data


@click.command()
@click.argument("trials", nargs=-1, required=True, metavar="TRIAL...")
@click.option("--data", show_default="the built-in set", help="The packed data of the trials.")
@storage_option
@click.option("--out", show_default="pictures/ in the storage", help="Folder, or fsspec URI.")
@click.option(
    "--gradcam-target",
    type=click.Choice(["pair", "argmax"]),
    default="pair",
    show_default=True,
    help="Explain the cosine with the caption, or the embedding's largest dimension.",
)
@click.option("--tracking-uri", help="MLflow in which to log the pictures too.")
@weights_option
def explain(
    trials: tuple[str, ...],
    data: str | None,
    storage: str,
    out: str | None,
    gradcam_target: str,
    tracking_uri: str | None,
    weights: str,
) -> None:
    """Draw what each finished TRIAL looks at, listens to and finds; several side by side."""
    from data_shards import files
    from data_shards.cache_folder import cache_folder
    from orchestrator import tracking_uri as tracking
    from orchestrator.pictures import drawing, logged
    from orchestrator.pictures.subject import find_record, subject
    from orchestrator.storage import Storage
    from trainables.weights import use

    _check(out, weights)
    uri = tracking.parse(tracking_uri) if tracking_uri else None
    store = Storage(storage)
    records = [find_record(store, trial_id) for trial_id in dict.fromkeys(trials)]
    packed = _data(data, records).cached(cache_folder())
    if weights:
        use(weights)
    subjects = [subject(store, record, packed) for record in records]
    place = out or files.join(storage, "pictures")
    for each in subjects:
        written, lacking = drawing.draw(each, files.join(place, each.id), target=gradcam_target)
        for line in lacking:
            click.echo(line, err=True)
        click.echo("\n".join(files.shown(url) for url in written))
        if uri:
            click.echo(logged.log(uri, each.id, drawing.read(written)), err=True)
    if len(subjects) > 1:
        together = drawing.compare(subjects, place, target=gradcam_target)
        click.echo(files.shown(together))
        if uri:
            for each in subjects:
                click.echo(logged.log(uri, each.id, drawing.read([together])), err=True)


def _check(out: str | None, weights: str) -> None:
    check_weights(weights)
    if out and Path(out).exists() and not Path(out).is_dir():
        raise UsageError(f"--out must be a folder, but {out} is a file.")


def _data(location: str | None, records: list[dict[str, Any]]) -> "Data":
    """The data that the trials were trained on, or at least some that are there."""
    from data_shards.datasets import synth

    first = records[0]
    other = next((r for r in records if _hash(r) != _hash(first)), None)
    if other:
        raise UsageError(
            "trials must be of the same data to stand side by side, but "
            f"{_told(first)} and {_told(other)}: explain each by itself."
        )
    if location is None and first["dataset"] != synth.DATASET:
        raise UsageError(f"--data must say where the packed data are, since {_told(first)}.")
    return data_sets.open_one((location,) if location else ())


def _hash(record: dict[str, Any]) -> str:
    return str(record["experiment"]["data"])


def _told(record: dict[str, Any]) -> str:
    return f"{record['trial_id']} is of {record['dataset']} {_hash(record)}"
