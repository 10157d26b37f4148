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
    """`image` and `speech` encoders into one space (thesis Figure 4.1), and the loss' own parts.

    Args:
        classes: number of training classes, for losses that classify.
    """

    def __init__(self, experiment: Experiment, *, classes: int = 0) -> None:
        super().__init__()
        self.image = ImageEncoder(experiment)
        self.speech = speech_encoder(experiment.speech_encoder)(experiment)
        self.own = experiment.loss.modules(embedding=experiment.embedding, classes=classes)
        self.loss = nn.ModuleDict(self.own)
        self.unit_norm = experiment.loss.unit_norm

    def forward(
        self,
        image: Shaped[Tensor, "B ..."],
        frames_BTF: Float[Tensor, "B T F"],
        length_B: Int[Tensor, " B"],
    ) -> tuple[Float[Tensor, "B E"], Float[Tensor, "B E"]]:
        """Embeddings (image_BE, speech_BE) as the loss takes them."""
        both = self._shared(self.image(image)), self._shared(self.speech(frames_BTF, length_B))
        if not self.unit_norm:
            return both
        image_BE, speech_BE = (nn.functional.normalize(side_BE, dim=1) for side_BE in both)
        return image_BE, speech_BE

    def embed_images(self, image: Shaped[Tensor, "B ..."]) -> Float[Tensor, "B E"]:
        """Unit-norm embeddings; `image` as `ImageEncoder.forward` takes."""
        return nn.functional.normalize(self._shared(self.image(image)), dim=1)

    def embed_map(self, map_BDHW: Float[Tensor, "B D h w"]) -> Float[Tensor, "B E"]:
        """Unit-norm embeddings of images from their last map (`ImageEncoder.last_map`)."""
        return nn.functional.normalize(self._shared(self.image.from_map(map_BDHW)), dim=1)

    def embed_speech(
        self, frames_BTF: Float[Tensor, "B T F"], length_B: Int[Tensor, " B"]
    ) -> Float[Tensor, "B E"]:
        """Unit-norm embeddings."""
        return nn.functional.normalize(self._shared(self.speech(frames_BTF, length_B)), dim=1)

    def _shared(self, embedding_BE: Float[Tensor, "B E"]) -> Float[Tensor, "B E"]:
        """Through the last layer that both sides share, if the loss has one."""
        if "shared" not in self.own:
            return embedding_BE
        shared_BE: Tensor = self.own["shared"](embedding_BE)
        return shared_BE


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
    """Numbers of parameters: of both sides and of the loss, and the trained ones among them."""
    counts = {}
    for side in ("image", "speech", "loss"):
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
