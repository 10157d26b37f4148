"""Does speech attention help? Table 5.6. Run: `python -m orchestrator sweep speech_attention`."""

from search_spaces.designs import Factorial
from search_spaces.sweep import Sweep

SWEEP = Sweep(
    name="speech_attention",
    question="Does self-attention over the speech help against the mean over time?",
    source="thesis §5.3.4, Table 5.6, rows VFSEL and w/o att-S: it does",
    design=Factorial({"speech_attention": [True, False]}),
    table="table_5_6",
    rows={"speech_attention=on": "VFSEL (proposed)", "speech_attention=off": "w/o att-S"},
)
