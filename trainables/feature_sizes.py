"""How large an experiment's derived columns are, known beforehand. Imports no torch.

Feature maps can exceed the photographs: ResNet-101 at stride 16 takes 0.5 MB an image.
"""

from dataclasses import dataclass

from data_shards.manifest import Manifest
from trainables import components
from trainables.data_check import training_splits
from trainables.experiment import Experiment

FRAMES = 400
"""Frames of a caption, guessed: 4 s. The manifest does not say how long captions are."""


@dataclass(frozen=True)
class ColumnSize:
    """A derived column."""

    split: str
    what: str
    """What lies in it: equal for equal columns of other experiments."""
    bytes: int


def column_sizes(experiment: Experiment, manifest: Manifest) -> list[ColumnSize]:
    """The columns that a trial reads: of views it trains on, of splits it is measured on."""
    views = dict.fromkeys(_trained(experiment, manifest), experiment.view_count or 1)
    measured = ["test"] + ([] if experiment.selection == "last" else [experiment.selection])
    found = []
    for name in sorted({*views, *measured}):
        split = manifest.splits[name]
        for view in _views(experiment, views.get(name, 0), measured=name in measured):
            what = f"image features, {_image(experiment)}{view}"
            found.append(ColumnSize(name, what, split.samples * image_bytes(experiment)))
        speech = f"log-mel, {experiment.mels} bands, {experiment.window}"
        size = split.captions * FRAMES * experiment.mels * 2
        found.append(ColumnSize(name, speech, size))
    return found


def image_bytes(experiment: Experiment) -> int:
    """Bytes of one image's features: float16 behind the cut, pixels where nothing is frozen."""
    encoder, side = experiment.image_encoder, experiment.image_size
    if not is_frozen(experiment):
        return 3 * side**2
    if experiment.image_attention == "none":
        return 2 * int(components.constant("image_encoders", encoder, "channels_head"))
    stride = 16 if experiment.image_attention == "B3" else 32
    channels = int(components.constant("image_encoders", encoder, f"channels{stride}"))
    return 2 * channels * (-(-side // stride)) ** 2


def is_frozen(experiment: Experiment) -> bool:
    """Whether nothing in the backbone ever changes."""
    pretrained = components.constant("image_encoders", experiment.image_encoder, "PRETRAINED")
    return bool(pretrained and experiment.backbone_bn == "eval" and not experiment.finetune)


def _trained(experiment: Experiment, manifest: Manifest) -> list[str]:
    """Splits whose training views are cached."""
    return training_splits(experiment, manifest) if experiment.cached else []


def _views(experiment: Experiment, count: int, *, measured: bool) -> list[str]:
    if experiment.views == "one":
        return [""]
    random = [f", view {number + 1}" for number in range(count)]
    return random + ([""] if measured else [])


def _image(experiment: Experiment) -> str:
    if not is_frozen(experiment):
        return f"pixels at {experiment.image_size}"
    parts = (experiment.image_encoder, experiment.image_attention, experiment.image_norm)
    suffix = "" if experiment.precision == "float32" else f" {experiment.precision}"
    return " ".join(parts) + f" at {experiment.image_size}{suffix}"
