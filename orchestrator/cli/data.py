"""`data pack | synth | verify | info | derive`."""

import json
import os
from collections.abc import Collection
from inspect import signature
from pathlib import Path
from typing import Any

import click

from data_shards.errors import UsageError
from orchestrator.cli.options import (
    check_weights,
    json_option,
    own_sweep,
    question_options,
    questions,
    weights_option,
)


@click.group()
def data() -> None:
    """Official dataset layouts in, spoken WebDataset shards out."""


_WORKERS = click.option(
    "--workers", default=os.cpu_count() or 1, show_default="cores", help="Processes."
)
_ENGINE = click.option(
    "--engine", show_default="espeak",
    help="What speaks captions: espeak, flite, piper or tacotron2.",
)  # fmt: skip
_VOICES = click.option("--voices", type=int, show_default="4", help="Different speakers.")


@data.command()
@click.argument("dataset")
@click.option("--root", required=True, type=Path, help="The official files.")
@click.option("--text", type=Path, help="Folder of cub200's captions, text_c10 (default: in root).")
@click.option("--out", required=True, type=Path, help="Folder of the shards.")
@click.option("--captions", type=int, help="At most so many captions an image (default: all).")
@click.option("--classes", metavar="A-B", help="Only classes A to B, of both class lists.")
@click.option("--images-per-class", type=int, help="At most so many images a class.")
@click.option("--seed", default=0, show_default=True, help="Of val classes, captions, voices.")
@_ENGINE
@_VOICES
@click.option("--speech", type=Path, help="Folder of recordings, instead of an engine.")
@_WORKERS
@click.option("--overwrite", is_flag=True, help="Replace what was packed with other options.")
def pack(
    dataset: str,
    root: Path,
    text: Path | None,
    out: Path,
    captions: int | None,
    classes: str | None,
    images_per_class: int | None,
    seed: int,
    engine: str | None,
    voices: int | None,
    speech: Path | None,
    workers: int,
    overwrite: bool,
) -> None:
    """Pack a DATASET (cub200, flickr8k, oxford102, or own) from its official files, and speak it.

    flickr8k brings recordings along: none of --engine, --voices and --speech is for it.
    """
    from data_shards import datasets
    from data_shards import pack as packing

    if dataset == "synth":
        raise UsageError("synth has no official files: use `data synth --out DIR`.")
    if speech is not None and (engine, voices) != (None, None):
        raise UsageError("--speech takes the place of an engine: leave out --engine and --voices.")
    read = datasets.reader(dataset)
    cut = _chosen(text=text, classes=_range(classes), images_per_class=images_per_class)
    _refuse(cut.keys() - signature(read).parameters.keys(), dataset=dataset)
    source = read(root, **cut)
    if source.takes is not None:
        _refuse(_chosen(engine=engine, voices=voices, speech=speech), dataset=dataset)
    manifest = packing.pack(
        source, out, captions=captions, recordings=speech, workers=workers, seed=seed,
        overwrite=overwrite, **_chosen(engine=engine, voices=voices),
    )  # fmt: skip
    for reason, count in manifest.skipped.items():
        click.echo(f"Left out: {count} {reason}.", err=True)
    _tell(out, manifest.hash)


def _refuse(names: Collection[str], *, dataset: str) -> None:
    """Refuse options that have no meaning for a data set."""
    if names:
        first = min(names).replace("_", "-")
        raise UsageError(f"{dataset} takes no --{first}: leave it out.")


@data.command()
@click.option("--out", required=True, type=Path, help="Folder of the shards.")
@click.option("--seed", default=0, show_default=True, help="Of the drawings and captions.")
@_ENGINE
@_VOICES
@_WORKERS
def synth(out: Path, seed: int, engine: str | None, voices: int | None, workers: int) -> None:
    """Make the built-in set: drawn flowers and spoken sentences that name their attributes."""
    from orchestrator.built_in import make

    _tell(out, make(out, seed=seed, workers=workers, **_chosen(engine=engine, voices=voices)))


def _chosen(**options: Any) -> dict[str, Any]:
    """The options that were given; for the others the callee has a default."""
    return {name: value for name, value in options.items() if value is not None}


def _tell(out: Path, name: str) -> None:
    click.echo(f"Packed as {name} in {out}. Check: python -m orchestrator data verify {out}")


@data.command()
@click.argument("location")
@_WORKERS
def verify(location: str, workers: int) -> None:
    """Recompute every hash and count of packed data; say precisely what is wrong."""
    from data_shards import manifest
    from data_shards.verify import verify as check

    loaded = manifest.load(location)
    problems = check(loaded, workers=workers)
    for problem in problems:
        click.echo(f"error: {problem}", err=True)
    if problems:
        raise SystemExit(1)
    splits = loaded.manifest.splits
    counts = ", ".join(f"{name} {split.samples} images" for name, split in splits.items())
    click.echo(f"ok: {loaded.manifest.hash}, {counts}.")


@data.command()
@click.argument("location")
@click.option("--plot", type=Path, help="Also draw the class histogram into this PNG.")
@json_option
def info(location: str, plot: Path | None, as_json: bool) -> None:
    """Print what packed data holds (as the thesis' Table 3.1)."""
    from dataclasses import asdict, astuple

    from rich.console import Console
    from rich.table import Table

    from data_shards import manifest
    from data_shards.info import plot_histogram, table

    loaded = manifest.load(location).manifest
    if plot is not None and plot.suffix not in (".png", ".pdf", ".svg"):
        raise UsageError(f"--plot must end in .png, .pdf or .svg, but got {str(plot)!r}.")
    if plot is not None:
        plot_histogram(loaded, plot)
    if as_json:
        click.echo(
            json.dumps({"hash": loaded.hash, "splits": [asdict(row) for row in table(loaded)]})
        )
        return
    shown = Table("split", "classes", "images", "captions", title=loaded.dataset)
    for row in table(loaded):
        shown.add_row(*(str(cell) for cell in astuple(row)))
    Console().print(shown)
    click.echo(f"hash {loaded.hash}; speech: {json.dumps(loaded.speech)}")


@data.command()
@click.argument("name", metavar="SWEEP", callback=own_sweep)
@question_options
@weights_option
@click.option("--dry-run", is_flag=True, help="Only say what would be written, and how large.")
def derive(name: str, storage: str, weights: str, dry_run: bool, **asked: Any) -> None:
    """Write what no trial of a SWEEP trains into this node's cache, before any trial runs.

    A sweep does so by itself; this is for a node with many cores and no GPU, or to see the size.
    """
    check_weights(weights)
    from data_shards.cache_folder import cache_folder
    from orchestrator.feature_plan import columns, gigabytes, told
    from orchestrator.storage import Storage

    store, limit = Storage(storage), asked["cache_limit"]
    asked_of = [
        ([trial.experiment for trial in found.plan(store).trials], packed)
        for found, packed in questions(name=name, **asked)
    ]
    for experiments, packed in asked_of:
        sizes = columns(experiments, packed.manifest)
        click.echo(f"{packed.manifest.dataset} {packed.manifest.hash}")
        for size in sizes:
            click.echo(f"{size.bytes / 1e9:8.3f} GB  {size.split:6} {size.what}")
        click.echo(f"{gigabytes(sizes):8.3f} GB  in all (log-mel: guessed), in {cache_folder()}")
        click.echo(told(experiments, packed.manifest, cache_limit=limit))
    if dry_run:
        return
    from orchestrator.deriving import derive as derive_columns
    from trainables.weights import use

    if weights:
        use(weights)
    for experiments, packed in asked_of:
        derive_columns(experiments, packed, store.features_url, limit=int(limit * 1e9))


def _range(text: str | None) -> tuple[int, int] | None:
    """`1-20` → (1, 20)."""
    if text is None:
        return None
    low, _, high = text.partition("-")
    if not (low.isdigit() and high.isdigit() and 1 <= int(low) <= int(high)):
        raise UsageError(f"--classes must be A-B with 1 <= A <= B, but got {text!r}.")
    return int(low), int(high)
