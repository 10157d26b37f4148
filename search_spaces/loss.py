"""Which loss? Thesis Table 5.6. Run: `python -m orchestrator sweep loss`."""

from search_spaces.designs import Factorial
from search_spaces.sweep import Sweep

SWEEP = Sweep(
    name="loss",
    question="Does the masked matching loss retrieve better than the bi-modal triplet loss?",
    source="thesis §5.3.4, Table 5.6, rows VFSEL and r/p L_t: it does",
    design=Factorial({"loss": ["matching", "triplet"]}),
    table="table_5_6",
    rows={"loss=matching": "VFSEL (proposed)", "loss=triplet": "r/p L_t (triplet)"},
)
