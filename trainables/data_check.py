"""Whether packed data can serve an experiment; asked before anything runs. Imports no torch."""

from data_shards.errors import DataError, UsageError
from data_shards.manifest import Manifest
from data_shards.voices import FEWEST, PACKING
from trainables.experiment import Experiment


def check_data(experiment: Experiment, manifest: Manifest) -> None:
    """Refuse an experiment that this data cannot serve, before anything runs.

    Raises:
        DataError: a split to train or test on is missing, or two splits share a class.
        UsageError: no split to select on, fewer training images than a batch, or too few voices.
    """
    _check_splits(manifest)
    if experiment.training_voices != "all":
        _check_voices(experiment, manifest)
    if experiment.selection == "val" and "val" not in manifest.splits:
        raise UsageError(
            "selection=val needs a val split, but the data has none (fewer than 10 training "
            "classes): use --set selection=last, or pack more classes; a search needs them."
        )
    images = sum(manifest.splits[name].samples for name in training_splits(experiment, manifest))
    if len(training_classes(experiment, manifest)) < 2:
        raise UsageError(
            "training needs at least 2 classes, since a loss compares classes, but the data has "
            "1: pack more classes."
        )
    if experiment.batch_size > images:
        raise UsageError(
            f"batch_size must be at most the number of training images, {images}, but got "
            f"{experiment.batch_size}: use --set batch_size=N."
        )


def _check_voices(experiment: Experiment, manifest: Manifest) -> None:
    asked, voices = f"training_voices={experiment.training_voices}", voices_of(manifest)
    if len(voices) < FEWEST:
        raise UsageError(
            f"{asked} needs data in at least {FEWEST} voices, of which the last quarter is only "
            f"tested on, but the data has {len(voices)}: {PACKING}."
        )
    if all(counted.images == 1 for counted in manifest.splits["test"].classes):
        raise UsageError(
            f"{asked} needs classes of several images, but in this data each image is its own: "
            "one without a caption in an unheard voice would be a query without an answer."
        )
    splits = [manifest.splits[name] for name in training_splits(experiment, manifest)]
    if all(split.captions == split.samples for split in splits):
        raise UsageError(
            f"{asked} needs images with captions in several voices, but each has one caption: "
            f"{PACKING}."
        )


def _check_splits(manifest: Manifest) -> None:
    for name in ("train", "test"):
        if name not in manifest.splits or not manifest.splits[name].samples:
            raise DataError(f"the data must have a {name} split with images; pack it again.")
    seen: dict[int, str] = {}
    for name, split in manifest.splits.items():
        for counted in split.classes:
            other = seen.setdefault(counted.id, name)
            if other != name:
                raise DataError(
                    f"a class must be in one split, but class {counted.id} is in {other} and "
                    f"{name}; pack the data again."
                )


def training_classes(experiment: Experiment, manifest: Manifest) -> list[int]:
    """Official numbers of the classes to train on, ascending: a classifier's classes."""
    splits = training_splits(experiment, manifest)
    return sorted(counted.id for name in splits for counted in manifest.splits[name].classes)


def voices_of(manifest: Manifest) -> list[str]:
    """The voices of the data; none is known of data packed elsewhere."""
    return list(manifest.speech.get("voices", []))


def training_splits(experiment: Experiment, manifest: Manifest) -> list[str]:
    """`train`, and with `selection=last` the held-out classes of `val` too."""
    wanted = ["train", "val"] if experiment.selection == "last" else ["train"]
    return [name for name in wanted if name in manifest.splits]
