"""Does each component help? Thesis Table 5.6. Run: `python -m orchestrator sweep components`."""

from search_spaces.designs import Variants
from search_spaces.sweep import Sweep

SWEEP = Sweep(
    name="components",
    question="What is lost when one component of VFSEL is left out?",
    source="thesis §5.3.4, Tables 5.3 and 5.6: each helps, the loss most",
    design=Variants(
        {
            "VFSEL": {},
            "triplet for matching": {"loss": "triplet"},
            "no attention": {"image_attention": "none", "speech_attention": False},
            "no image attention": {"image_attention": "none"},
            "no speech attention": {"speech_attention": False},
        }
    ),
    changes={"loss": "matching", "image_attention": "B3", "speech_attention": True},
    table="table_5_6",
    rows={
        "VFSEL": "VFSEL (proposed)",
        "triplet for matching": "r/p L_t (triplet)",
        "no attention": "w/o att",
        "no image attention": "w/o att-I",
        "no speech attention": "w/o att-S",
    },
)
