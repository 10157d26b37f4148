from trainables.experiment import Experiment
from trainables.presets import PRESETS


def test_the_thesis_is_the_default():
    assert PRESETS["thesis"] == Experiment()
    assert (Experiment().embedding, Experiment().image_size, Experiment().loss.gamma) == (
        2048,
        244,
        13,
    )


def test_presets_survive_json():
    for preset in PRESETS.values():
        assert Experiment.from_dict(preset.to_dict()) == preset
