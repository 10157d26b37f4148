"""What does one setting reach? Run: `python -m orchestrator sweep point --set gamma=20 --seeds 5`.

A search ends with this command for the point that it found.
"""

from search_spaces.designs import Factorial
from search_spaces.sweep import Sweep

SWEEP = Sweep(
    name="point",
    question="What does VFSEL reach on this data with the settings given?",
    source="thesis §5.3, where each chosen setting is trained and measured",
    design=Factorial(),
)
