"""Packs a data set: official files in, spoken WebDataset shards and a manifest out.

Everything drawn (validation classes, captions, voices, order) depends on the seed and on ids
alone, so that neither the number of workers nor an interruption changes a byte. A finished shard
is noted beside the data; the same call again goes on with what is missing.
"""

import itertools
import re
from collections import Counter
from pathlib import Path

from filelock import FileLock, Timeout

from data_shards import files, manifest, pack_plan, pool, progress, shard_writer
from data_shards.datasets.base import Source
from data_shards.errors import DataError, UsageError
from data_shards.manifest import Manifest, Shard
from data_shards.pack_plan import PackPlan
from data_shards.shard_writer import PROGRESS, ShardTask

_HALF_WRITTEN = re.compile(r"\.(train|val|test)-\d{5}\.tar\..+")


def pack(
    source: Source,
    out: Path,
    *,
    captions: int | None,
    voices: int = 4,
    workers: int,
    engine: str = "espeak",
    recordings: Path | None = None,
    seed: int = 0,
    samples_per_shard: int = 128,
    overwrite: bool = False,
    show: bool = True,
) -> Manifest:
    """Write shards `<split>-00000.tar`, … and `manifest.json`; return the manifest.

    Args:
        source: what to pack; its own recordings, if it has any, take the place of an engine.
        out: folder to write; made if need be.
        captions: how many captions of an image are spoken (drawn); all if None.
        voices: number of voices; the captions of one image take different ones as far as possible.
        workers: processes.
        engine: name of the speech engine.
        recordings: folder of recorded captions (see `data_shards/recordings.py`), which take the
            place of an engine and its voices.
        seed: of every draw.
        samples_per_shard: images a shard.
        overwrite: replace what was packed there from another source or with other options.
        show: whether to show progress on standard error.

    Raises:
        UsageError: a value out of range, no such engine, `out` cannot be written, or holds
            another packed set.
        DataError: an image or a caption that cannot be packed, or has no recording; what is
            finished is kept.
    """
    _at_least_one(
        captions=captions, voices=voices, workers=workers, samples_per_shard=samples_per_shard
    )
    _check(source)
    options = {"captions": captions, "seed": seed, "samples_per_shard": samples_per_shard}
    if recordings is not None:
        plan = pack_plan.recorded(source, recordings, options=options)
    elif source.takes is not None:
        plan = pack_plan.own(source, options=options, workers=workers, show=show)
    else:
        plan = pack_plan.spoken(source, engine=engine, voices=voices, options=options)
    if not overwrite:
        _refuse_other(out, plan=plan)
    with _folder(out):
        packed = plan.manifest(_write(plan.tasks(out), out=out, workers=workers, show=show))
        _finish(packed, out=out)
    return packed


def _at_least_one(**values: int | None) -> None:
    for name, value in values.items():
        if value is not None and value < 1:
            raise UsageError(f"{name} must be >= 1, but got {value}.")


def _check(source: Source) -> None:
    parts = {"training": source.train, "validation": source.val or (), "test": source.test}
    for (name, part), (other, others) in itertools.combinations(parts.items(), 2):
        both = {image.class_id for image in part} & {image.class_id for image in others}
        if both:
            shared = ", ".join(map(str, sorted(both)))
            raise DataError(f"{name} and {other} classes must be disjoint, but both have {shared}.")
    counts = Counter(image.image_id for image in source.images)
    twice = [image_id for image_id, count in counts.items() if count > 1]
    if twice:
        raise DataError(f"an image id must be unique, but {twice[0]} names {counts[twice[0]]}.")


def _refuse_other(out: Path, *, plan: PackPlan) -> None:
    """Hours of speech must not go because of a repeated command with another option."""
    content = files.read_bytes(out / manifest.NAME) if out.is_dir() else None
    if content is None:
        return
    there = manifest.parse(content, str(out / manifest.NAME))
    if not plan.made(there):
        raise UsageError(
            f"out must not hold another packed set, but {out} holds {there.hash} (its source or "
            "options differ): name another folder, or replace it with --overwrite."
        )


def _folder(out: Path) -> FileLock:
    """Makes the folder; the lock keeps a second `pack` out of it and ends with this process."""
    lock = FileLock(out / PROGRESS / "lock")
    try:
        (out / PROGRESS).mkdir(parents=True, exist_ok=True)
        lock.acquire(timeout=0)
    except Timeout as error:
        raise UsageError(f"out must be packed by one command at a time, but {out} is.") from error
    except OSError as error:
        raise shard_writer.cannot_write(error) from error
    return lock


def _write(tasks: list[ShardTask], *, out: Path, workers: int, show: bool) -> list[Shard]:
    """Write the shards that are missing and remove those of other options; all in task order."""
    shards = {task.name: shard for task in tasks if (shard := shard_writer.finished(task))}
    missing = [task for task in tasks if task.name not in shards]
    stale = {note.stem for note in (out / PROGRESS).glob("*.json")} - {task.name for task in tasks}
    if missing or stale:
        files.remove(out / manifest.NAME)  # it would name shards that are about to change
    _remove(out, names=stale)
    total = sum(len(task.samples) for task in tasks)
    done = sum(shard.samples for shard in shards.values())
    with progress.bar("pack", total=total, done=done, show=show) as advance:

        def finish(shard: Shard) -> None:
            shards[shard.name] = shard
            advance(shard.samples)

        pool.run(shard_writer.write, missing, workers=workers, done=finish)
    return [shards[task.name] for task in tasks]


def _remove(out: Path, *, names: set[str]) -> None:
    """Remove shards of ours, and what a killed run left half-written."""
    for name in names:
        (out / name).unlink(missing_ok=True)
        (out / PROGRESS / f"{name}.json").unlink()
    for path in out.iterdir():
        if _HALF_WRITTEN.fullmatch(path.name):
            path.unlink()


def _finish(packed: Manifest, *, out: Path) -> None:
    content = packed.to_json().encode()
    if files.read_bytes(out / manifest.NAME) == content:
        return
    try:
        files.write_atomic(out / manifest.NAME, content)
    except OSError as error:
        raise shard_writer.cannot_write(error) from error
