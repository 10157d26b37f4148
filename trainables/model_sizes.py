"""How many parameters each encoder has at the thesis' sizes, counted without any weights."""

from collections.abc import Callable

import torch
from torch import nn

from data_shards.errors import UsageError
from trainables import components
from trainables.image_encoder import ImageEncoder
from trainables.presets import PRESETS
from trainables.speech_encoders import front_end, speech_encoder
from trainables.speech_encoders.torchaudio_front import TorchaudioFront

Counts = dict[str, int]


def model_sizes() -> dict[str, dict[str, Counts | None]]:
    """Kind → encoder → parameters of its side: `total`, of which `trained` and `frozen`.

    An image side is a `backbone` with CBAM at B3, batch norm and the linear layer; the `backbone`
    of a speech side is the network that makes its frames (0: they are log-mel). None where an
    encoder's packages are not installed.
    """
    kinds = {"image_encoders": _image_side, "speech_encoders": _speech_side}
    return {
        kind: {name: _unless_missing(side, name) for name in components.names(kind)}
        for kind, side in kinds.items()
    }


def _image_side(name: str) -> Counts:
    encoder = ImageEncoder(PRESETS["thesis"].replace(image_encoder=name))
    return _counts(encoder, encoder.backbone)


def _speech_side(name: str) -> Counts:
    experiment = PRESETS["thesis"].replace(speech_encoder=name)
    front = front_end(experiment, device=torch.device("meta"))
    network = front.network if isinstance(front, TorchaudioFront) else nn.Identity()
    encoder = speech_encoder(name)(experiment)
    return _counts(nn.ModuleList([network, encoder]), network)


def _unless_missing(side: Callable[[str], Counts], name: str) -> Counts | None:
    try:
        with torch.device("meta"):  # shapes without values: nothing is loaded or allocated
            return side(name)
    except UsageError as error:
        if isinstance(error.__cause__, ImportError):
            return None
        raise


def _counts(side: nn.Module, backbone: nn.Module) -> Counts:
    total, trained = _count(side), _count(side, only_trained=True)
    backbone_alone, frozen = _count(backbone), total - trained
    return {"backbone": backbone_alone, "total": total, "trained": trained, "frozen": frozen}


def _count(module: nn.Module, *, only_trained: bool = False) -> int:
    return sum(p.numel() for p in module.parameters() if p.requires_grad or not only_trained)
