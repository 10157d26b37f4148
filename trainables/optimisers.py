"""What trains the model: Adam, with one more of its own for a loss' opponent."""

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from trainables.experiment import Experiment
from trainables.model import DualEncoder


class Optimisers:
    """One for all that is trained together, and one for the loss' `opponent`, if it has one.

    Both follow the same schedule: Adam, its step size halved every `lr_halve_every` epochs.
    """

    def __init__(self, experiment: Experiment, model: DualEncoder) -> None:
        self._experiment = experiment
        self._opponent = model.own.get("opponent")
        against = list(self._opponent.parameters()) if self._opponent else []
        theirs = {id(parameter) for parameter in against}
        together = [p for p in model.parameters() if p.requires_grad and id(p) not in theirs]
        self._all = {"encoders": self._adam(together)}
        if against:
            self._all["opponent"] = self._adam(against)

    @property
    def learning_rate(self) -> float:
        """The step size at this moment."""
        return float(self._all["encoders"].param_groups[0]["lr"])

    def start_epoch(self, epoch: int) -> None:
        """Set the step size of an epoch, counted from 1."""
        halvings = (epoch - 1) // self._experiment.lr_halve_every
        for optimiser in self._all.values():
            for group in optimiser.param_groups:
                group["lr"] = self._experiment.learning_rate * 0.5**halvings

    def step_opponent(
        self, image_BE: Float[Tensor, "B E"], speech_BE: Float[Tensor, "B E"]
    ) -> None:
        """The opponent's step on embeddings that are constants to it; nothing without one."""
        if self._opponent:
            _step(self._all["opponent"], self._opponent(image_BE, speech_BE))

    def step(self, loss: Float[Tensor, ""]) -> None:
        """A step of all but the opponent."""
        _step(self._all["encoders"], loss)

    def state_dict(self) -> dict[str, Any]:
        """The state of each, by its name."""
        return {name: optimiser.state_dict() for name, optimiser in self._all.items()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """The inverse of `state_dict`."""
        for name, optimiser in self._all.items():
            optimiser.load_state_dict(state[name])

    def _adam(self, parameters: list[torch.nn.Parameter]) -> torch.optim.Optimizer:
        experiment = self._experiment
        return torch.optim.Adam(
            parameters,
            lr=experiment.learning_rate,
            betas=(experiment.beta1, experiment.beta2),
            weight_decay=experiment.weight_decay,
        )


def _step(optimiser: torch.optim.Optimizer, loss: Tensor) -> None:
    optimiser.zero_grad(set_to_none=True)
    loss.backward()  # type: ignore[no-untyped-call]
    optimiser.step()
