"""Published weights that a plan needs, tried before any trial is scheduled."""

from collections.abc import Iterable

import torch

from trainables import components
from trainables.experiment import Experiment
from trainables.image_encoders import backbone
from trainables.speech_encoders import front_end
from trainables.weights import use


def check(experiments: Iterable[Experiment], *, weights: str) -> None:
    """Load what the trials will load, each network once, from the folder of `--weights`.

    Without a folder nothing is checked: the nodes download, and this machine may have no network.

    Raises:
        DataError: a file is missing, cut, or another one.
    """
    if not weights:
        return
    use(weights)
    experiments = [one for one in experiments if not one.trainable]  # those see to it themselves
    for name in sorted({experiment.image_encoder for experiment in experiments}):
        if components.constant("image_encoders", name, "PRETRAINED"):
            backbone(name)()
    for experiment in {one.speech_encoder: one for one in experiments}.values():
        front_end(experiment, device=torch.device("cpu"))
