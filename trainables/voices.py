"""Which voices an experiment trains and tests on (thesis §6.2: its single synthetic speaker)."""

from data_shards.manifest import Manifest
from data_shards.voices import ALL, Voices, divide
from trainables.data_check import training_splits, voices_of
from trainables.experiment import Experiment


def wanted(experiment: Experiment, manifest: Manifest, split: str) -> Voices:
    """Whose captions of a split take part.

    Both arms, `one` and `many`, train on the images that have a caption in the first voice, with
    one caption an image, and are tested on every caption in the voices that neither hears. An
    epoch is chosen by every caption in the other voices, so that the test's stay unheard.
    """
    if experiment.training_voices == "all":
        return ALL
    heard, unheard = divide(voices_of(manifest))
    if split == "test":
        return Voices(unheard)
    if split not in training_splits(experiment, manifest):
        return Voices(heard)
    among = {"one": heard[:1], "many": heard}[experiment.training_voices]
    return Voices(among, beside=heard[0], seed=experiment.seed)
