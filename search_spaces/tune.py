"""Which γ and optimiser settings? Run: `python -m orchestrator sweep tune`."""

from search_spaces.search import Range, Search
from search_spaces.sweep import Sweep

SWEEP = Sweep(
    name="tune",
    question="Which γ, learning rate and weight decay retrieve best?",
    source="thesis §5.2.2, §5.3.1, by hand: γ 13, learning rate 1e-4, weight decay 1e-5",
    design=Search(
        space={
            "gamma": Range(1.0, 100.0),
            "learning_rate": Range(1e-4, 1e-2),
            "weight_decay": Range(1e-6, 1e-2),
        },
        optional={"image_attention": ["none", "B3", "B4"], "speech_attention": [True, False]},
    ),
    changes={"loss": "matching"},
)
