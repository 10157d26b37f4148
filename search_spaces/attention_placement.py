"""Behind which block? Thesis Table 5.7. Run: `python -m orchestrator sweep attention_placement`."""

from search_spaces.designs import Factorial
from search_spaces.sweep import Sweep

SWEEP = Sweep(
    name="attention_placement",
    question="Behind which block does image attention help: none, B3 or B4?",
    source="thesis §5.3.5, Table 5.7: B3",
    design=Factorial({"image_attention": ["none", "B3", "B4"]}),
    side_by_side=True,
    table="table_5_7",
    rows={
        "image_attention=none": "w/o att-I",
        "image_attention=B3": "att-I|B3 (proposed)",
        "image_attention=B4": "att-I|B4",
    },
)
