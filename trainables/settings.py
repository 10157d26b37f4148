"""What a trainable of one's own is told of its trial. Imports no torch."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from trainables.experiment import Experiment


@dataclass(frozen=True)
class Settings:
    """What a trial of a trainable of one's own is to do: `settings.seed`, `settings["ridge"]`."""

    seed: int
    batch_size: int
    epochs: int
    selection: str
    """What chooses the epoch: `val`, `test`, or `last` (nothing is measured between epochs)."""
    max_broken: float
    own: Mapping[str, Any]
    """The own parameters: `DEFAULTS`, less what the sweep or `--set` changes."""

    def __getitem__(self, name: str) -> Any:
        return self.own[name]

    @classmethod
    def of(cls, experiment: Experiment) -> "Settings":
        """Nothing but what is in the trial's identity."""
        common = ("seed", "batch_size", "epochs", "selection", "max_broken")
        return cls(own=dict(experiment.own), **{name: getattr(experiment, name) for name in common})
