"""What does VFSEL reach on this data? Run: `python -m orchestrator sweep baseline`."""

from search_spaces.designs import Factorial
from search_spaces.sweep import Sweep

SWEEP = Sweep(
    name="baseline",
    question="What does VFSEL itself (γ = 13, attention at B3) reach on this data?",
    source="thesis Table 5.5, row VFSEL",
    design=Factorial(),
    table="table_5_5",
    rows={"VFSEL": "VFSEL (proposed)"},
    changes={"loss": "matching", "gamma": 13.0, "image_attention": "B3", "speech_attention": True},
)
