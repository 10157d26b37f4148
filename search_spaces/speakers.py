"""One voice or many? Thesis §6.2–6.3. Run: `python -m orchestrator sweep speakers`."""

from search_spaces.designs import Factorial
from search_spaces.sweep import Sweep

SWEEP = Sweep(
    name="speakers",
    question="Do many voices in training retrieve better than one, when unheard voices ask?",
    source="thesis §6.2–6.3, which names its single synthetic speaker as the weakness",
    design=Factorial({"training_voices": ["one", "many"]}),
)
