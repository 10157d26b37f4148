"""Which γ? Thesis §5.3.1, Figures 5.1–5.2. Run: `python -m orchestrator sweep gamma`."""

from search_spaces.designs import Refine
from search_spaces.sweep import Sweep

SWEEP = Sweep(
    name="gamma",
    question="Which smoothing factor γ in the matching loss retrieves best?",
    source="thesis §5.3.1, Figures 5.1–5.2: [10, 20], then 13",
    design=Refine("gamma", [1.0, 5.0, 10.0, 20.0, 50.0, 100.0]),
    table="gamma_sweep_author_logs",
)
