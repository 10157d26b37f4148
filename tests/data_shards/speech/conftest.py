"""Every engine that can speak here; Tacotron 2 with random weights."""

import shutil
from importlib.util import find_spec

import pytest
import torch

from data_shards import speech
from data_shards.speech import tacotron2


def small_tacotron2() -> tacotron2.Models:
    """The pipeline's own text processor and vocoder around a small model that babbles.

    Its parts are those of the trained one; it never decides to stop, so that every caption lasts
    120 frames (1.4 s).
    """
    from torchaudio.models import Tacotron2
    from torchaudio.pipelines import TACOTRON2_GRIFFINLIM_CHAR_LJSPEECH as BUNDLE

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        model = Tacotron2(
            n_symbol=len(BUNDLE.get_text_processor().tokens), symbol_embedding_dim=32,
            encoder_embedding_dim=32, attention_rnn_dim=32, attention_hidden_dim=16,
            decoder_rnn_dim=32, prenet_dim=16, postnet_embedding_dim=32, decoder_max_step=120,
            gate_threshold=1.0,
        ).eval()  # fmt: skip
    return tacotron2.Models(BUNDLE.get_text_processor(), model, BUNDLE.get_vocoder())


def start(name: str) -> speech.SpeechEngine:
    """The engine of that name."""
    if name == "tacotron2":
        return tacotron2.Engine(small_tacotron2())
    return speech.engine(name)


def available(name: str) -> bool:
    """Whether what the engine needs is installed here."""
    needed = {"flite": shutil.which("flite"), "piper": find_spec("piper")}
    return bool(needed.get(name, True))


@pytest.fixture(params=speech.names())
def engine(request):
    """Each engine in turn."""
    if not available(request.param):
        pytest.skip(f"{request.param} is not installed")
    started = start(request.param)
    yield started
    started.close()
