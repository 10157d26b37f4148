"""Tacotron 2 (Shen et al. 2018) of torchaudio, trained on LJSpeech: one speaker.

Of torchaudio's pipelines we take characters and Griffin-Lim. Those on phonemes need the package
deep-phonemizer, whose model is a pickle from another host. WaveRNN sounds better, but draws its
22,050 samples a second one by one: minutes a second of speech on a CPU (docs/voices.md).
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pickle import UnpicklingError
from typing import TYPE_CHECKING, Any

import numpy as np

from data_shards import draws
from data_shards.errors import DataError, UsageError
from data_shards.speech.base import Samples, SpeechEngine, first_line, first_voices, resample

if TYPE_CHECKING:
    import torch

_VOICE = "ljspeech"
_SEED = 0


@dataclass(frozen=True)
class Models:
    """What turns text into sound, as torchaudio's pipelines give them.

    `processor`: text → tokens (1, characters) and lengths (1,); `tacotron2`: a
    `torchaudio.models.Tacotron2`; `vocoder`: mel spectrogram (1, mels, frames) and lengths →
    waveform (1, samples) in -1…1 and lengths, at `vocoder.sample_rate` Hz.
    """

    processor: Any
    tacotron2: Any
    vocoder: Any


class Engine(SpeechEngine):
    """Speaks in this process, on the CPU and one thread.

    Args:
        models: instead of the trained ones, which are downloaded at first use (107 MB, kept in
            torch's cache).

    Raises:
        UsageError: the weights are neither here nor to be had.
    """

    def __init__(self, models: Models | None = None) -> None:
        self._models = models or _trained()

    @property
    def name(self) -> str:
        return "tacotron2"

    @property
    def version(self) -> str:
        import torch
        import torchaudio

        return f"{torchaudio.__version__} (torch {torch.__version__})"

    def voices(self, count: int) -> list[str]:
        return first_voices((_VOICE,), count=count)

    def say(self, text: str, *, voice: str) -> Samples:
        if not re.search("[A-Za-z]", text):  # it would babble
            return np.zeros(0, np.int16)
        tokens, lengths = self._models.processor(text)
        try:
            with _drawn_for(text, voice=voice):
                waveform = self._waveform(tokens, lengths)
        except RuntimeError as error:
            raise DataError(f"Tacotron 2 could not speak {text!r}: {first_line(error)}") from error
        # Griffin-Lim keeps no level: as loud as can be, as Piper does
        loudest = waveform.abs().max().clamp(min=1e-8)
        samples = (32767 * waveform / loudest).round().numpy().astype(np.int16)
        return resample(samples, rate=self._models.vocoder.sample_rate)

    def _waveform(self, tokens: "torch.Tensor", lengths: "torch.Tensor") -> "torch.Tensor":
        import torch

        with torch.no_grad():
            mel, mel_lengths, _ = self._models.tacotron2.infer(tokens, lengths)
            waveform, _ = self._models.vocoder(mel, mel_lengths)
        mono: torch.Tensor = waveform[0].detach()
        return mono

    def close(self) -> None:
        """Nothing to end."""


@contextmanager
def _drawn_for(text: str, *, voice: str) -> Iterator[None]:
    """Draw as text and voice say, whatever was drawn before, and leave no trace.

    Tacotron 2 drops out units of its pre-net even when it speaks; Griffin-Lim starts from random
    phases. Sums differ with the number of threads.
    """
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(draws.key(_SEED, "tacotron2", voice, text))
            yield
    finally:
        torch.set_num_threads(threads)


def _trained() -> Models:
    from torchaudio.pipelines import TACOTRON2_GRIFFINLIM_CHAR_LJSPEECH as BUNDLE

    try:
        # a file from outside is never unpickled
        tacotron2 = BUNDLE.get_tacotron2(dl_kwargs={"weights_only": True, "progress": False})
    except (OSError, RuntimeError, UnpicklingError) as error:
        raise UsageError(
            "speech engine 'tacotron2' needs its weights, but they can be neither downloaded nor "
            f"read ({first_line(error)}): run once where there is a network, and keep $TORCH_HOME."
        ) from error
    return Models(BUNDLE.get_text_processor(), tacotron2, BUNDLE.get_vocoder())
