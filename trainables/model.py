"""Both encoders together: initial weights by name, and the part of the state that training changes.

Shapes: B pairs, T frames, F bands, E embedding.
"""

import torch
from jaxtyping import Float, Int, Shaped
from torch import Tensor, nn

from data_shards import draws
from data_shards.errors import DataError
from trainables.experiment import Experiment
from trainables.image_encoder import ImageEncoder
from trainables.speech_encoders import speech_encoder


class DualEncoder(nn.Module):
    """`image` and `speech` encoders into one space (thesis Figure 4.1)."""

    def __init__(self, experiment: Experiment) -> None:
        super().__init__()
        self.image = ImageEncoder(experiment)
        self.speech = speech_encoder(experiment.speech_encoder)(experiment)

    def forward(
        self,
        image: Shaped[Tensor, "B ..."],
        frames_BTF: Float[Tensor, "B T F"],
        length_B: Int[Tensor, " B"],
    ) -> tuple[Float[Tensor, "B E"], Float[Tensor, "B E"]]:
        """Unit-norm embeddings (image_BE, speech_BE); `image` as `ImageEncoder.forward` takes."""
        return self.image(image), self.speech(frames_BTF, length_B)


def autocast(experiment: Experiment, device: torch.device) -> torch.autocast:
    """The arithmetic of the experiment's `precision`; weights stay float32."""
    reduced = experiment.precision == "bfloat16"
    return torch.autocast(device.type, torch.bfloat16, enabled=reduced)


def initialise(model: DualEncoder, seed: int) -> None:
    """Draw all weights anew that are not pretrained, each module's by (seed, its name).

    Arms that share a module therefore start it from the same weights, whatever else they have.
    Call it on the CPU, so that the device does not change the draws.
    """
    for name, module in model.named_modules():
        if _is_pretrained(model, name) or not list(module.parameters(recurse=False)):
            continue
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(draws.key(seed, "init", name))
            module.reset_parameters()


def parameter_counts(model: DualEncoder) -> dict[str, int]:
    """Numbers of parameters: `image`, `speech`, and the trained ones among them."""
    counts = {}
    for side in ("image", "speech"):
        parameters = list(model.get_submodule(side).parameters())
        counts[side] = sum(p.numel() for p in parameters)
        counts[f"{side}_trained"] = sum(p.numel() for p in parameters if p.requires_grad)
    return counts


def trainable_state(model: DualEncoder) -> dict[str, Tensor]:
    """Copies, on the CPU, of all that training changes: parameters and running statistics."""
    state = model.state_dict()
    return {name: state[name].detach().to("cpu", copy=True) for name in _changing(model)}


def load_trainable_state(model: DualEncoder, state: dict[str, Tensor]) -> None:
    """The inverse of `trainable_state`.

    Raises:
        DataError: the state is of another model (names or shapes differ).
    """
    own = model.state_dict()
    expected = {name: tuple(own[name].shape) for name in _changing(model)}
    given = {name: tuple(tensor.shape) for name, tensor in state.items()}
    if given != expected:
        name = min(set(given.items()) ^ set(expected.items()))[0]
        raise DataError(
            f"a model's state must fit its experiment, but {name!r} is {given.get(name, 'missing')}"
            f" where {expected.get(name, 'nothing')} belongs; delete the checkpoint to start anew."
        )
    model.load_state_dict(state, strict=False)


def _is_pretrained(model: DualEncoder, name: str) -> bool:
    return model.image.pretrained and f"{name}.".startswith("image.backbone.")


def _changing(model: DualEncoder) -> list[str]:
    """Names of what training changes, in the order of the state dict."""
    kept = {name for name, parameter in model.named_parameters() if not parameter.requires_grad}
    if model.image.keeps_statistics:
        kept |= {f"image.backbone.{name}" for name, _ in model.image.backbone.named_buffers()}
    return [name for name in model.state_dict() if name not in kept]
