"""Recomputes all that a manifest says from the shards themselves."""

import re
from collections import Counter
from collections.abc import Iterator

from data_shards import files, pool, progress
from data_shards.manifest import SPLITS, Data, Split
from data_shards.shard_check import ShardCheck, ShardFindings, check

_SHARD = re.compile(rf"({'|'.join(SPLITS)})-\d+\.tar")


def verify(data: Data, *, workers: int = 1, show: bool = False) -> list[str]:
    """Every problem, one line each, naming shard and member; an empty list if all is right.

    Checks the SHA-256 of each shard; its samples, captions and texts; that photographs and
    speech decode (RGB; 16 kHz mono); class lists and counts; that no class and no image stands in
    two splits; and that no shard is missing or one too many.
    """
    found = _findings(data, workers=workers, show=show)
    problems = [problem for name in sorted(found) for problem in found[name].problems]
    for name, split in data.manifest.splits.items():
        problems += _count_problems(name, split=split, found=found)
    problems += _class_overlaps(data.manifest.splits)
    problems += _image_overlaps(found)
    return problems + _strays(data)


def _findings(data: Data, *, workers: int, show: bool) -> dict[str, ShardFindings]:
    tasks = [
        ShardCheck(
            url=data.shard_url(shard),
            shard=shard,
            class_names={count.id: count.name for count in split.classes},
            voices=data.manifest.speech.get("voices", []),
        )
        for split in data.manifest.splits.values()
        for shard in split.shards
    ]
    found: dict[str, ShardFindings] = {}
    with progress.bar("verify", total=len(tasks), show=show) as advance:

        def finish(result: tuple[str, ShardFindings]) -> None:
            found[result[0]] = result[1]
            advance(1)

        if workers > 1:
            pool.run(_named_check, tasks, workers=workers, done=finish)
        else:
            for task in tasks:
                finish(_named_check(task))
    return found


def _named_check(task: ShardCheck) -> tuple[str, ShardFindings]:
    return task.shard.name, check(task)


def _count_problems(name: str, *, split: Split, found: dict[str, ShardFindings]) -> Iterator[str]:
    images, captions = Counter[int](), Counter[int]()
    for shard in split.shards:
        images.update(found[shard.name].images)
        captions.update(found[shard.name].captions)
    for count in split.classes:
        said, is_now = (count.images, count.captions), (images[count.id], captions[count.id])
        if said != is_now:
            yield (
                f"{name}: class {count.id} ({count.name}) must have {said[0]} images and {said[1]} "
                f"captions, but the shards have {is_now[0]} and {is_now[1]}"
            )


def _class_overlaps(splits: dict[str, Split]) -> Iterator[str]:
    where: dict[int, list[str]] = {}
    for name, split in splits.items():
        for count in split.classes:
            where.setdefault(count.id, []).append(name)
    for class_id, names in where.items():
        if len(names) > 1:
            yield f"class {class_id} must be in one split once, but is in {' and '.join(names)}"


def _image_overlaps(found: dict[str, ShardFindings]) -> Iterator[str]:
    where: dict[str, list[str]] = {}
    for name in sorted(found):
        for key in found[name].keys:
            where.setdefault(key, []).append(name)
    for key, names in where.items():
        if len(names) > 1:
            yield f"image {key} must be in one shard once, but is in {' and '.join(names)}"


def _strays(data: Data) -> list[str]:
    if data.folder.startswith(("http://", "https://")):  # a web server need not list a folder
        return []
    said = {shard.name for split in data.manifest.splits.values() for shard in split.shards}
    there = {name for name in files.names(data.folder) if _SHARD.fullmatch(name)}
    return [f"{name} is not in the manifest" for name in sorted(there - said)]
