"""What a trial may use. Apart from the runner, so that a wrong number is said before Ray loads."""

import math
from dataclasses import dataclass, fields
from typing import Literal

from data_shards.errors import UsageError
from orchestrator.feature_plan import CACHE_LIMIT

AUTO: Literal["auto"] = "auto"


@dataclass(frozen=True, kw_only=True)
class Resources:
    """Resources of a trial, and how many run at once (0: as many as fit).

    `gpus_per_trial`: a number, or `auto` for the share of one GPU that `gpu_packing` measures.

    Raises:
        UsageError: a number is negative or not finite, or a trial would have no CPU.
    """

    cpus_per_trial: float = 1.0
    gpus_per_trial: float | Literal["auto"] = 0.0
    max_concurrent: int = 0
    loader_workers: int = 0
    checkpoint_every: int = 1
    """Epochs from one checkpoint to the next; changes no result."""
    cache_limit: float = CACHE_LIMIT
    """GB of derived features that a node may keep."""
    weights: str = ""
    """Folder of published weights; "": what each node's environment says."""
    spare_cpus: float = 0.0
    """CPUs reserved beside those that it uses: a trial that its node had no memory for."""
    autoscale: bool = False
    """Nodes that can hold a trial may still have to be started."""

    def __post_init__(self) -> None:
        for spec in fields(self):
            value = getattr(self, spec.name)
            if isinstance(value, str):  # `auto`, a folder
                continue
            option = spec.name.replace("_", "-")
            if not (value >= 0 and math.isfinite(value)):
                raise UsageError(f"--{option} must be >= 0, but got {value:g}.")
            if value != round(value, 4):
                raise UsageError(f"--{option} must have at most 4 decimals, but got {value}.")
        if self.checkpoint_every < 1:
            raise UsageError(f"--checkpoint-every must be >= 1, but got {self.checkpoint_every}.")
        if self.cpus_per_trial == 0:
            raise UsageError("--cpus-per-trial must be > 0, but got 0.")
        if self.gpus > 1 and self.gpus % 1:
            raise UsageError(f"--gpus-per-trial above 1 must be whole, but got {self.gpus:g}.")

    @property
    def packed(self) -> bool:
        """Whether trials get the share of a GPU that fits."""
        return self.gpus_per_trial == AUTO

    @property
    def gpus(self) -> float:
        """GPUs of a trial; with `auto` the whole one that the first trial is measured on."""
        return 1.0 if self.gpus_per_trial == AUTO else self.gpus_per_trial

    @property
    def request(self) -> dict[str, float]:
        """Ray's resource request of one trial; loader processes count as CPUs."""
        cpus = self.cpus_per_trial + self.loader_workers + self.spare_cpus
        return {"cpu": cpus, "gpu": self.gpus}
