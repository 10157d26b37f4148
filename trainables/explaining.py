"""What a trained model looks at: Grad-CAM on images, attention over time on speech, as arrays.

Shapes: B pairs, S pixels a side, D channels, h×w cells of the last map, T frames, F bands, E
embedding, t steps of the attention.
"""

from collections.abc import Callable
from typing import Any, Protocol, runtime_checkable

import torch
from captum.attr import LayerGradCam
from jaxtyping import Float, UInt8
from torch import Tensor, nn

from trainables.experiment import Experiment
from trainables.model import DualEncoder, load_trainable_state


def _pair(image_BE: Tensor, speech_BE: Tensor) -> Tensor:
    return (image_BE * speech_BE).sum(dim=1)


def _argmax(image_BE: Tensor, speech_BE: Tensor) -> Tensor:
    return image_BE.amax(dim=1)


TARGETS: dict[str, Callable[[Tensor, Tensor], Tensor]] = {"pair": _pair, "argmax": _argmax}
"""What a Grad-CAM explains: the cosine of an image with its caption, or the largest dimension of
the image's embedding (what the thesis' author back-propagated)."""


def trained_model(experiment: Experiment, state: dict[str, Tensor], *, classes: int) -> DualEncoder:
    """The model of a finished trial, ready to evaluate, on the CPU.

    Args:
        state: its `trainable_state`.
        classes: number of training classes.

    Raises:
        DataError: the state is of another model, or published weights are missing.
    """
    model = DualEncoder(experiment, classes=classes)
    load_trainable_state(model, state)
    return model.eval()


def image_heat(
    model: DualEncoder,
    pixels_B3SS: UInt8[Tensor, "B 3 S S"],
    speech_BE: Float[Tensor, "B E"],
    *,
    target: str = "pair",
) -> tuple[Float[Tensor, "B h w"], Float[Tensor, " B"]]:
    """Grad-CAM of each image (thesis §5.4.4, Figure 5.5), and its cosine with its caption.

    The layer is the last map: at the end of stride 32, before pooling, behind CBAM where that
    stands at B4.

    Args:
        speech_BE: unit-norm embeddings of the captions.
        target: one of `TARGETS`.
    """
    map_BDHW = model.image.last_map(pixels_B3SS)
    with torch.no_grad():
        cosine_B = _pair(model.embed_map(map_BDHW), speech_BE)
    score = TARGETS[target]
    return grad_cam(
        map_BDHW, lambda map_BDHW: score(model.embed_map(map_BDHW), speech_BE)
    ), cosine_B


def grad_cam(
    map_BDHW: Float[Tensor, "B D h w"], score: Callable[[Tensor], Tensor]
) -> Float[Tensor, "B h w"]:
    """ReLU(Σ_d a_d A_d), a_d the mean over the cells of ∂score/∂A_d (Selvaraju et al. 2017).

    Args:
        score: from maps to one number an image (B).
    """
    hooked = _Hooked(score)
    heat_B1HW: Tensor = LayerGradCam(hooked, hooked.map).attribute(map_BDHW, relu_attributions=True)
    return heat_B1HW.detach()[:, 0]


class _Hooked(nn.Module):
    """captum explains a layer; here it is the one through which the map enters."""

    def __init__(self, score: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.map = nn.Identity()
        self._score = score

    def forward(self, map_BDHW: Tensor) -> Tensor:
        return self._score(self.map(map_BDHW))


@runtime_checkable
class _Weighs(Protocol):
    """An attention over time, such as `VectorialAttention`: called with what `weights` takes."""

    def weights(self, hidden_BTD: Tensor, *, valid_BT: Tensor) -> Tensor:
        """A weight a frame and feature, or a frame alone, (B, T, D) or (B, T, 1)."""


def speech_weights(
    model: DualEncoder, frames_TF: Float[Tensor, "T F"]
) -> Float[Tensor, " t"] | None:
    """How much of a caption's embedding comes from each step of time; None without attention.

    Vectorial attention has weights of its own for each feature: this is their mean over the
    features. They sum to 1. A step is as long as the encoder makes it: T/8 in VFSEL's pyramid.
    """
    kept: list[Tensor] = []

    def keep(module: Any, given: tuple[Any, ...], named: dict[str, Any], _: Tensor) -> None:
        kept.append(module.weights(*given, **named))

    hooks = [
        module.register_forward_hook(keep, with_kwargs=True)
        for module in model.speech.modules()
        if isinstance(module, _Weighs)
    ]
    try:
        with torch.no_grad():
            model.embed_speech(frames_TF[None], torch.tensor([len(frames_TF)]))
    finally:
        for hook in hooks:
            hook.remove()
    return kept[-1][0].mean(dim=1) if kept else None
