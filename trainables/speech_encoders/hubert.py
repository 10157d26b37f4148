"""HuBERT *base* (Hsu et al. 2021), frozen, with trained attention on top; its last layer, 12."""

from trainables.speech_encoders.torchaudio_front import FrozenSpeech

VERSION = 1
READS = ["speech_attention", "speech_attention_hidden"]
FRONT = {"bundle": "HUBERT_BASE", "layer": 12, "width": 768}

ENCODER = FrozenSpeech
