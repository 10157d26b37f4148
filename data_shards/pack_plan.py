"""What a packed set will hold: settled before anything is written."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from data_shards import recordings, speech, takes
from data_shards.datasets.base import Source
from data_shards.images import LONGEST_SHORT_SIDE, QUALITY
from data_shards.manifest import Manifest, Shard, Split
from data_shards.recordings import Recorded
from data_shards.sampling import class_counts, samples_of_splits
from data_shards.shard_writer import Sample, ShardTask


@dataclass(frozen=True)
class PackPlan:
    """The samples of each split in order, and all that the manifest says of how they are made."""

    source: Source
    options: dict[str, Any]
    spoken_by: dict[str, Any]
    samples: dict[str, list[Sample]]

    def tasks(self, out: Path) -> list[ShardTask]:
        """One task a shard, split after split."""
        size = self.options["samples_per_shard"]
        return [
            ShardTask(
                out=out,
                name=f"{split}-{first // size:05d}.tar",
                source=self.source.description,
                engine=self.spoken_by["engine"],
                engine_version=self.spoken_by["version"],
                samples=tuple(ordered[first : first + size]),
            )
            for split, ordered in self.samples.items()
            for first in range(0, len(ordered), size)
        ]

    def manifest(self, shards: list[Shard]) -> Manifest:
        """The manifest, when the shards of all tasks are written."""
        return Manifest(
            dataset=self.source.dataset,
            source=self.source.description,
            options=self.options,
            speech=self.spoken_by,
            splits={
                split: Split(
                    class_counts(ordered),
                    shards=[shard for shard in shards if shard.name.startswith(f"{split}-")],
                )
                for split, ordered in self.samples.items()
            },
            skipped=dict(self.source.skipped),
        )

    def made(self, there: Manifest) -> bool:
        """Whether a manifest tells of the same source, options and speech."""
        same = (self.source.dataset, self.source.description, self.options, self.spoken_by)
        return (there.dataset, there.source, there.options, there.speech) == same


def spoken(source: Source, *, engine: str, voices: int, options: dict[str, Any]) -> PackPlan:
    """Plan to have captions spoken by an engine.

    Raises:
        UsageError: no such engine, or it has not as many voices.
    """
    spoken_by = _speech(engine, voices=voices)
    options = _all_options(options | {"voices": voices})
    samples = samples_of_splits(source, options=options, voices=spoken_by["voices"])
    return PackPlan(source, options, spoken_by, samples)


def recorded(source: Source, folder: Path, *, options: dict[str, Any]) -> PackPlan:
    """Plan to take captions from recordings (see `recordings.find`).

    Raises:
        UsageError, DataError: as `recordings.find`.
    """
    source, found = recordings.find(source, folder, captions=options["captions"])
    return _of_recordings(source, found, options=options)


def own(source: Source, *, options: dict[str, Any], workers: int, show: bool) -> PackPlan:
    """Plan to take captions from the data set's own recordings (see `takes.heard`).

    Raises:
        DataError: as `takes.heard`.
    """
    source, found = takes.heard(source, workers=workers, show=show)
    return _of_recordings(source, found, options=options)


def _of_recordings(source: Source, found: Recorded, *, options: dict[str, Any]) -> PackPlan:
    options = _all_options(options)
    samples = samples_of_splits(source, options=options, voices=[], recorded=found)
    packed = [
        caption.recording
        for ordered in samples.values()
        for sample in ordered
        for caption in sample.captions
        if caption.recording
    ]
    return PackPlan(source, options, recordings.provenance(packed), samples)


def _all_options(options: dict[str, Any]) -> dict[str, Any]:
    return options | {"shorter_side": LONGEST_SHORT_SIDE, "jpeg_quality": QUALITY}


def _speech(name: str, *, voices: int) -> dict[str, Any]:
    engine = speech.engine(name)
    try:
        return {
            "engine": engine.name,
            "version": engine.version,
            "voices": engine.voices(voices),
            "rate": speech.RATE,
        }
    finally:
        engine.close()
