"""How do the components act together? Run: `python -m orchestrator sweep factors`."""

from search_spaces.designs import Factorial
from search_spaces.sweep import Sweep

SWEEP = Sweep(
    name="factors",
    question="Do image attention, speech attention and loss help alone, or only together?",
    source="beyond the thesis, which leaves out one at a time (§5.3.4)",
    design=Factorial(
        {
            "image_attention": ["none", "B3", "B4"],
            "speech_attention": [True, False],
            "loss": ["matching", "triplet"],
        }
    ),
)
