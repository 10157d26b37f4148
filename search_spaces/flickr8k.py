"""On Flickr8k. Thesis Table 5.4. Run: `python -m orchestrator sweep flickr8k --data FLICKR8K`."""

from search_spaces.designs import Variants
from search_spaces.sweep import Sweep

_TRIPLET = {"loss": "triplet", "margin": 0.2, "impostors": "all", "image_attention": "none"}

SWEEP = Sweep(
    name="flickr8k",
    question="Does VFSEL retrieve scenes better than three models made for them?",
    source="thesis §5.3.2, Tables 5.1 and 5.4: better than what their papers report",
    design=Variants(
        {
            "VFSEL": {},
            "Merkx": {"speech_encoder": "merkx"} | _TRIPLET,
            "Scharenborg": {"speech_encoder": "scharenborg"} | _TRIPLET,
            "Chrupała": {"speech_encoder": "chrupala"} | _TRIPLET,
        },
        backbones={"Merkx": "resnet152", "Scharenborg": "vgg16", "Chrupała": "vgg16"},
    ),
    changes={
        "loss": "matching", "image_attention": "B3", "speech_attention": True,
        "speech_encoder": "pyramid_bigru",
    },
    datasets=("flickr8k",),
    table="table_5_4",
    rows={
        "VFSEL": "VFSEL (proposed)",
        "Merkx": "Merkx et al. [31]",
        "Scharenborg": "Scharenborg et al. [42]",
        "Chrupała": "Chrupala et al. [5]",
    },
    quoted=("Merkx", "Scharenborg", "Chrupała"),
)  # fmt: skip
