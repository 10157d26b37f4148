"""How large an experiment's derived columns are, known beforehand. Imports no torch.

Feature maps can exceed the photographs: ResNet-101 at stride 16 takes 0.5 MB an image.
"""

from dataclasses import dataclass

from data_shards.manifest import Manifest
from trainables import components
from trainables.data_check import training_splits
from trainables.experiment import Experiment

SECONDS = 4
"""Length of a caption, guessed: the manifest does not say it."""


@dataclass(frozen=True)
class ColumnSize:
    """A derived column."""

    split: str
    what: str
    """What lies in it: equal for equal columns of other experiments."""
    bytes: int


def column_sizes(experiment: Experiment, manifest: Manifest) -> list[ColumnSize]:
    """The columns that a trial reads: of views it trains on, of splits it is measured on.

    None of a trainable of one's own: what that keeps is its own affair.
    """
    if experiment.trainable:
        return []
    views = dict.fromkeys(_trained(experiment, manifest), experiment.view_count or 1)
    measured = ["test"] + ([] if experiment.selection == "last" else [experiment.selection])
    found = []
    for name in sorted({*views, *measured}):
        split = manifest.splits[name]
        for view in _views(experiment, views.get(name, 0), measured=name in measured):
            what = f"image features, {_image(experiment)}{view}"
            found.append(ColumnSize(name, what, split.samples * image_bytes(experiment)))
        speech, size = _speech(experiment)
        found.append(ColumnSize(name, speech, split.captions * size))
    return found


def _speech(experiment: Experiment) -> tuple[str, int]:
    """What a caption's frames are, and their bytes: float16, log-mel at 100 a second or a frozen
    network's at 50."""
    front = components.constant("speech_encoders", experiment.speech_encoder, "FRONT")
    if front is None:
        what = f"log-mel, {experiment.mels} bands, {experiment.window}"
        return what, SECONDS * 100 * experiment.mels * 2
    what = f"layer {front['layer']} of {front['bundle']}"
    return what, SECONDS * 50 * int(front["width"]) * 2


def image_bytes(experiment: Experiment) -> int:
    """Bytes of one image's features: float16 behind the cut, pixels where nothing is frozen."""
    encoder, side = experiment.image_encoder, experiment.image_size
    if not is_frozen(experiment):
        return 3 * side**2
    if experiment.image_attention == "none":
        return 2 * int(components.constant("image_encoders", encoder, "channels_head"))
    stride = 16 if experiment.image_attention == "B3" else 32
    channels = int(components.constant("image_encoders", encoder, f"channels{stride}"))
    up = components.constant("image_encoders", encoder, "rounds_up")
    return 2 * channels * (-(-side // stride) if up else side // stride) ** 2


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
