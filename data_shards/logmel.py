"""Log-mel spectrograms of spoken captions (thesis §3.2: 40 bands, 25 ms Hamming, 10 ms shift)."""

from dataclasses import dataclass
from functools import cached_property

import torch
from jaxtyping import Float
from torch import Tensor
from torchaudio.transforms import MelSpectrogram

from data_shards.front_end import FrontEnd

RATE = 16_000  # Hz
WINDOWS = {"hamming": torch.hamming_window, "hann": torch.hann_window}


@dataclass(frozen=True)
class LogMel(FrontEnd):
    """Waveform → log-mel frames with zero mean and unit variance a band over the utterance.

    Args:
        mels: number of bands F between 0 and 8 kHz.
        window: `hamming` or `hann`.
    """

    mels: int = 40
    window: str = "hamming"

    @property
    def key(self) -> str:
        """Names the transform: equal keys, equal frames."""
        return f"logmel-v1-{self.mels}-{self.window}"

    @property
    def width(self) -> int:
        """Number of values of a frame."""
        return self.mels

    @property
    def in_workers(self) -> bool:
        """It needs no GPU."""
        return True

    @cached_property
    def _spectrogram(self) -> MelSpectrogram:
        return MelSpectrogram(
            sample_rate=RATE,
            n_fft=512,
            win_length=400,  # 25 ms
            hop_length=160,  # 10 ms
            f_min=0.0,
            f_max=RATE / 2,
            n_mels=self.mels,
            window_fn=WINDOWS[self.window],
            power=2.0,
            normalized=False,
            center=True,
            pad_mode="constant",
            norm=None,
            mel_scale="htk",
        )

    def __call__(self, wave_N: Float[Tensor, " N"]) -> Float[Tensor, "T F"]:
        """Frames of a 16 kHz mono waveform of N samples: T = N // 160 + 1."""
        power_FT = self._spectrogram(wave_N)
        frames_TF = (power_FT + 1e-6).log().T
        centred_TF = frames_TF - frames_TF.mean(dim=0)
        normalised_TF: Tensor = centred_TF / (centred_TF.square().mean(dim=0).sqrt() + 1e-5)
        return normalised_TF
