"""Frozen networks of torchaudio in the place of log-mel, and the trained layers on top of them.

A network's frames do not change in training: they are derived once, like log-mel. Shapes as in
`base`.
"""

from dataclasses import dataclass
from functools import cached_property

import torch
import torchaudio
from jaxtyping import Float, Int
from torch import Tensor, nn
from torchaudio.models import Wav2Vec2Model, wav2vec2_model

from data_shards.front_end import FrontEnd
from trainables import components, weights
from trainables.experiment import Experiment
from trainables.speech_encoders.base import (
    SpeechEncoder,
    VectorialAttention,
    longest_first,
    pool,
    projection,
)

URL = "https://download.pytorch.org/torchaudio/models"
WINDOW = 400
"""Samples of the first frame, 25 ms; the others follow at 20 ms."""


@dataclass(frozen=True)
class TorchaudioFront(FrontEnd):
    """Waveform → frames of one transformer layer, one utterance at a time and unpadded.

    In the *base* networks a normalisation over time would let padding change every frame.

    Args:
        name: names the network.
        network: is put into evaluation mode, on its device.
        layer: number of the transformer layer, from 1.
    """

    name: str
    network: Wav2Vec2Model
    layer: int

    def __post_init__(self) -> None:
        self.network.eval().requires_grad_(False)

    @cached_property
    def key(self) -> str:
        """Names the transform: equal keys, equal frames."""
        return f"{self.name}-v1-layer{self.layer}-{weights.digest(self.network)[:16]}"

    @property
    def width(self) -> int:
        """Number of values of a frame."""
        return int(self.network.encoder.feature_projection.projection.out_features)

    @property
    def in_workers(self) -> bool:
        """On a CPU only."""
        return self._device.type == "cpu"

    @property
    def _device(self) -> torch.device:
        device: torch.device = next(self.network.parameters()).device
        return device

    @torch.inference_mode()
    def __call__(self, wave_N: Float[Tensor, " N"]) -> Float[Tensor, "T F"]:
        """Frames of a 16 kHz mono waveform: T = (N - 400) // 320 + 1; a shorter one than the
        first window is followed by silence."""
        wave_N = nn.functional.pad(wave_N, (0, max(0, WINDOW - len(wave_N))))
        layers, _ = self.network.extract_features(
            wave_N[None].to(self._device), num_layers=self.layer
        )
        frames_TF: Tensor = layers[-1][0].cpu()
        return frames_TF


def load(bundle: str, *, layer: int, device: torch.device) -> TorchaudioFront:
    """The front end of one of `torchaudio.pipelines`' bundles, e.g. `HUBERT_BASE`.

    Raises:
        DataError: its weights can neither be found nor downloaded.
    """
    made = getattr(torchaudio.pipelines, bundle)
    network = weights.pretrained(
        lambda: wav2vec2_model(**made._params),
        url=f"{URL}/{made._path}",
        what=f"the weights of torchaudio's {bundle}",
    )
    return TorchaudioFront(bundle, network.to(device), layer)


class FrozenSpeech(SpeechEncoder):
    """Vectorial attention over the network's frames, or their mean; then a linear map."""

    def __init__(self, experiment: Experiment) -> None:
        super().__init__(experiment)
        front = components.constant("speech_encoders", experiment.speech_encoder, "FRONT")
        width, hidden = front["width"], experiment.speech_attention_hidden
        self.attention = (
            VectorialAttention(width, hidden=hidden) if experiment.speech_attention else None
        )
        self.out = projection(width, experiment.embedding)

    def forward(
        self, frames_BTF: Float[Tensor, "B T F"], length_B: Int[Tensor, " B"]
    ) -> Float[Tensor, "B E"]:
        return longest_first(self._embedded, frames_BTF, length_B)

    def _embedded(
        self, frames_BTF: Float[Tensor, "B T F"], length_B: Int[Tensor, " B"]
    ) -> Float[Tensor, "B E"]:
        pooled_BF = pool(frames_BTF, length_B=length_B, attention=self.attention)
        embedding_BE: Tensor = self.out(pooled_BF)
        return embedding_BE
