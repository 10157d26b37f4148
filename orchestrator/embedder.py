"""A trained model to be kept elsewhere: what embeds, and a file that is read without running code.

MLflow keeps a PyTorch model as a pickle. Ours holds plain values, tensors and the name of one
function, `rebuild`, so that `load` can read it with torch's `weights_only` reader, which refuses
whatever else stands in the file. Shapes as in `trainables.model`, S pixels a side.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from data_shards.errors import DataError
from trainables.experiment import Experiment
from trainables.model import DualEncoder, load_trainable_state, trainable_state


class Embedder(nn.Module):
    """Both encoders of a finished trial, on the CPU, ready to evaluate.

    Args:
        experiment: an experiment as a dict.
        state: its trial's `trainable_state`; what only the loss used in training is left out.

    Raises:
        DataError: the state is of another model, or published weights are missing.
    """

    def __init__(self, experiment: Mapping[str, Any], state: Mapping[str, Tensor]) -> None:
        super().__init__()
        self.experiment = Experiment.from_dict(dict(experiment))
        self.model = DualEncoder(self.experiment, classes=1)  # the loss' own parts go
        for name in set(self.model.own) - {"shared"}:
            del self.model.own[name], self.model.loss[name]
        kept = ("image.", "speech.", "loss.shared.")
        load_trainable_state(
            self.model, {name: value for name, value in state.items() if name.startswith(kept)}
        )
        self.eval()

    @torch.no_grad()
    def forward(
        self,
        pixels: Tensor | None = None,
        frames: Tensor | None = None,
        lengths: Tensor | None = None,
    ) -> dict[str, Tensor]:
        """Unit-norm embeddings (B, E) of what is given: `image`, `speech`, or both.

        Args:
            pixels: uint8 RGB (B, 3, S, S).
            frames: of spoken captions (B, T, F), float32, as the experiment's front end makes them.
            lengths: valid frames of each (B), int64; without it all are.
        """
        found = {} if pixels is None else {"image": self.model.embed_images(pixels)}
        if frames is not None:
            if lengths is None:
                lengths = torch.full((frames.shape[0],), frames.shape[1])
            found["speech"] = self.model.embed_speech(frames, lengths)
        return found

    def __reduce__(self) -> tuple[Callable[..., "Embedder"], tuple[Any, ...]]:
        return rebuild, (self.experiment.to_dict(), trainable_state(self.model))


def rebuild(experiment: dict[str, Any], state: dict[str, Tensor]) -> Embedder:
    """The one function that a model's file names."""
    return Embedder(experiment, state)


def load(folder: Path) -> Embedder:
    """The model in a folder that MLflow downloaded; nothing in its file is run.

    Raises:
        DataError: the file holds more than a model of ours, or is damaged.
    """
    path = folder / "data" / "model.pth"
    try:
        with torch.serialization.safe_globals([rebuild]):
            found = torch.load(path, map_location="cpu", weights_only=True)
    except DataError:
        raise
    except Exception as error:  # zipfile and torch raise many kinds
        raise DataError(f"{path} must be a model of ours, but cannot be read as one.") from error
    if not isinstance(found, Embedder):
        raise DataError(f"{path} must be a model of ours, but holds a {type(found).__name__}.")
    return found
