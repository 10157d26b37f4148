"""How many augmented views are enough? Beyond the thesis, which draws a new one each epoch.

Run: `python -m orchestrator sweep view_count --set image_encoder=efficientnet_lite0`.
"""

from search_spaces.designs import Factorial
from search_spaces.sweep import Sweep

SWEEP = Sweep(
    name="view_count",
    question="How many cached views of an image replace a new crop and flip each epoch (0)?",
    source="beyond the thesis, whose views are random in each epoch (§3.2)",
    design=Factorial({"view_count": [1, 2, 5, 10, 0]}),
    changes={"views": "random"},
)
