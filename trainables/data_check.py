"""Whether packed data can serve an experiment; asked before anything runs. Imports no torch."""

from data_shards.errors import DataError, UsageError
from data_shards.manifest import Manifest
from trainables.experiment import Experiment


def check_data(experiment: Experiment, manifest: Manifest) -> None:
    """Refuse an experiment that this data cannot serve, before anything runs.

    Raises:
        DataError: a split to train or test on is missing, or two splits share a class.
        UsageError: no split to select on, or fewer training images than a batch.
    """
    _check_splits(manifest)
    if experiment.selection == "val" and "val" not in manifest.splits:
        raise UsageError(
            "selection=val needs a val split, but the data has none (fewer than 10 training "
            "classes): use --set selection=last, or pack more classes; a search needs them."
        )
    images = sum(manifest.splits[name].samples for name in training_splits(experiment, manifest))
    if experiment.batch_size > images:
        raise UsageError(
            f"batch_size must be at most the number of training images, {images}, but got "
            f"{experiment.batch_size}: use --set batch_size=N."
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


def training_splits(experiment: Experiment, manifest: Manifest) -> list[str]:
    """`train`, and with `selection=last` the held-out classes of `val` too."""
    wanted = ["train", "val"] if experiment.selection == "last" else ["train"]
    return [name for name in wanted if name in manifest.splits]
