"""Against five methods. Thesis Table 5.5. Run: `python -m orchestrator sweep comparison`."""

from search_spaces.designs import Variants
from search_spaces.sweep import Sweep

# Table 5.2: all share the image encoder, which only VFSEL has with attention; the three methods
# from text retrieval have VFSEL's speech encoder.
_PLAIN = {"image_attention": "none"}
_TEXT = {"speech_encoder": "pyramid_bigru"} | _PLAIN

SWEEP = Sweep(
    name="comparison",
    question="Does VFSEL retrieve better than five other methods?",
    source="thesis §5.3.3, Tables 5.2 and 5.5: it does",
    design=Variants(
        {
            "VFSEL": {},
            "Harwath": {
                "speech_encoder": "harwath", "loss": "triplet", "margin": 1.0, "impostors": "one",
            } | _PLAIN,
            "Merkx": {
                "speech_encoder": "merkx", "loss": "triplet", "margin": 0.2, "impostors": "all",
            } | _PLAIN,
            "Zhen (DSCMR)": {"loss": "dscmr"} | _TEXT,
            "Zhang and Lu (CMPM+CMPC)": {"loss": "cmpm_cmpc"} | _TEXT,
            "Sarafianos (TIMAM)": {"loss": "timam"} | _TEXT,
        }
    ),
    changes={
        "loss": "matching", "image_attention": "B3", "speech_attention": True,
        "speech_encoder": "pyramid_bigru",
    },
    table="table_5_5",
    rows={
        "VFSEL": "VFSEL (proposed)",
        "Harwath": "Harwath et al. [11]",
        "Merkx": "Merkx et al. [31]",
        "Zhen (DSCMR)": "Zhen et al. [55] (DSCMR loss)",
        "Zhang and Lu (CMPM+CMPC)": "Zhang and Lu [54] (CMPM+CMPC)",
        "Sarafianos (TIMAM)": "Sarafianos et al. [41] (TIMAM loss)",
    },
)  # fmt: skip
