"""The networks of torchaudio, small and with random weights."""

import torch
from torchaudio.models import Wav2Vec2Model, wav2vec2_model

SMALL = {
    "extractor_mode": "group_norm",
    "extractor_conv_layer_config": [(8, 10, 5), *[(8, 3, 2)] * 4, *[(8, 2, 2)] * 2],
    "extractor_conv_bias": False,
    "encoder_embed_dim": 768,
    "encoder_projection_dropout": 0.1,
    "encoder_pos_conv_kernel": 4,
    "encoder_pos_conv_groups": 16,
    "encoder_num_layers": 2,
    "encoder_num_heads": 12,
    "encoder_attention_dropout": 0.1,
    "encoder_ff_interm_features": 4,
    "encoder_ff_interm_dropout": 0.1,
    "encoder_dropout": 0.1,
    "encoder_layer_norm_first": False,
    "encoder_layer_drop": 0.5,
    "aux_num_out": None,
}
"""Windows, width and the normalisation over time are those of the *base* networks."""


def small_network(seed: int = 0) -> Wav2Vec2Model:
    """In training mode, in which it would drop units and layers at random."""
    torch.manual_seed(seed)
    return wav2vec2_model(**SMALL)
