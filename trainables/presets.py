"""Named experiments to start from. Imports no torch."""

from trainables.experiment import Experiment

PRESETS: dict[str, Experiment] = {
    "thesis": Experiment(),
    "demo": Experiment(
        image_encoder="small",
        image_size=192,
        views="one",
        embedding=128,
        speech_attention_hidden=64,
        speech_units=64,
        learning_rate=2e-3,
        epochs=10,
    ),
}
"""`thesis` is the thesis' own setting (§5.2.2); `demo` is sized for a CPU."""
