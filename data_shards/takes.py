"""A data set's own recordings: those that cannot be heard are named and left out.

Real recordings by the thousand hold a few that are empty or missing; a data set must not be
unusable for them, nor may they go unnoticed.
"""

import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

from data_shards import progress, recordings
from data_shards.datasets.base import Source, Take
from data_shards.errors import DataError
from data_shards.recordings import Recorded, Recording

_MISSING = "recordings that are missing"
_UNHEARD = "recordings that are empty, silent or damaged"


def heard(source: Source, *, workers: int, show: bool) -> tuple[Source, Recorded]:
    """The images with a recording that can be heard, and these recordings.

    Every file is read whole, by `workers` threads. What is left out is counted in `skipped`, and
    named on standard error if `show`.

    Raises:
        DataError: a file cannot be read, or no training or no test image is left.
    """
    assert source.takes is not None
    takes = [take for own in source.takes.values() for take in own.values()]
    found = dict(zip(takes, _listen(takes, workers=workers, show=show), strict=True))
    left_out: dict[str, list[str]] = {}
    for take, result in found.items():
        if isinstance(result, str):
            left_out.setdefault(result, []).append(take.path.name)
    if show:
        _tell(left_out)
    recorded = {
        image_id: {n: kept for n, take in own.items() if isinstance(kept := found[take], Recording)}
        for image_id, own in source.takes.items()
    }
    return _without_silent(source, recorded=recorded, left_out=left_out), recorded


def _listen(takes: Sequence[Take], *, workers: int, show: bool) -> list[Recording | str]:
    """Of each take its recording, or why it is left out."""
    results = []
    with (
        ThreadPoolExecutor(workers) as threads,  # reading, hashing and decoding free the GIL
        progress.bar("listen", total=len(takes), show=show) as advance,
    ):
        for result in threads.map(_hear, takes):
            results.append(result)
            advance(1)
    return results


def _hear(take: Take) -> Recording | str:
    try:
        recording = recordings.identify(take.path, voice=take.voice)
        recordings.read(recording)
    except FileNotFoundError:
        return _MISSING
    except OSError as error:  # the disk, not the recording: the next command may read it
        raise DataError(f"{take.path} cannot be read: {error}; run the command again.") from error
    except DataError:
        return _UNHEARD
    return recording


def _tell(left_out: Mapping[str, list[str]]) -> None:
    for reason, names in left_out.items():
        print(f"Left out, {reason}: {', '.join(names)}.", file=sys.stderr)


def _without_silent(
    source: Source, *, recorded: Recorded, left_out: Mapping[str, list[str]]
) -> Source:
    ids = {image_id for image_id, own in recorded.items() if own}
    counts = {reason: len(names) for reason, names in left_out.items()}
    kept = source.only(ids, without=counts | {recordings.WITHOUT: len(recorded) - len(ids)})
    if not (kept.train and kept.test):
        raise DataError(
            "training and test images must have recordings that can be heard, but "
            f"{len(kept.train)} training and {len(kept.test)} test images have."
        )
    return kept
