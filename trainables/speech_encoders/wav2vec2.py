"""wav2vec 2.0 *base* (Baevski et al. 2020), frozen, with trained attention on top.

Layer 8 of 12: this network's last layers turn back towards the sound that it was trained to
restore; what tells words apart peaks in the middle (Pasad, Chou & Livescu 2021).
"""

from trainables.speech_encoders.torchaudio_front import FrozenSpeech

VERSION = 1
READS = ["speech_attention", "speech_attention_hidden"]
FRONT = {"bundle": "WAV2VEC2_BASE", "layer": 8, "width": 768}

ENCODER = FrozenSpeech
