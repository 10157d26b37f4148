"""A sweep of your own. Run: `python -m orchestrator sweep NAME.py`.

`plan NAME.py` shows its trials, `report NAME.py` what they found. All commands take this file.
"""

from search_spaces.designs import Factorial
from search_spaces.sweep import Sweep

SWEEP = Sweep(
    # What it asks, and where the question comes from: both stand in the report.
    question="Does attention over time help, and with which γ?",
    source="a question of my own",
    # Every combination of these levels. The fields that there are: `python -m orchestrator list`.
    # Other designs stand in search_spaces/designs.py: Variants (named settings, the first is the
    # baseline), Refine (coarse, then fine, for one number).
    design=Factorial({"speech_attention": [True, False], "gamma": [5.0, 13.0]}),
    # What the question fixes, on top of the preset; `--set` may still change it.
    changes={"epochs": 6},
    # A model of your own in the place of VFSEL, a file beside this one; its parameters can then
    # be factors above. `python -m orchestrator new trainable my_model` writes one.
    # trainable="my_model.py",
)
