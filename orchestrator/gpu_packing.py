"""`--gpus-per-trial auto`: as many trials a GPU as its memory holds, by what a trial has used.

The first trial of a plan has a whole GPU; its record holds the peak of its memory, and the others
get the largest share that fits. The shares follow from the records alone: a command that goes on
after a stop measures nothing anew.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import torch

from data_shards.errors import DataError
from orchestrator.failures import is_out_of_gpu_memory
from orchestrator.storage import Storage

MARGIN = 1.2
"""On the peak: memory is reserved in blocks, which another order of batches or another arm of the
sweep (attention behind a larger feature map) cuts differently."""
CONTEXT = 640 * 2**20
"""Bytes a process takes beside PyTorch's reserve: the CUDA context and the libraries' kernels and
workspaces; a few hundred MB by driver and GPU, rounded up."""

STEPS = 10_000  # Ray counts GPUs in ten-thousandths


@dataclass(frozen=True)
class Reading:
    """Bytes that a trial's process has reserved at most, and those of its GPU in all."""

    peak: int
    total: int

    @property
    def need(self) -> float:
        """The part of such a GPU that such a trial needs."""
        return (self.peak * MARGIN + CONTEXT) / self.total


def start_reading(device: str) -> None:
    """Forget what an earlier trial of this process has reserved."""
    if device == "cuda":
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()


def read_memory(device: str) -> dict[str, int]:
    """`Reading`'s fields for this process so far; nothing without a GPU."""
    if device != "cuda":
        return {}
    return {"peak": torch.cuda.max_memory_reserved(), "total": torch.cuda.mem_get_info()[1]}


def share(readings: Iterable[Reading]) -> float:
    """The largest 1/k of a GPU in which every trial read so far would fit k times."""
    return _part(int(1 / max(reading.need for reading in readings)))


def _part(count: int) -> float:
    """1/count, rounded down to what Ray can count; at most a whole GPU."""
    return STEPS // max(count, 1) / STEPS


@dataclass
class Packer:
    """Shares for the trials of one plan."""

    storage: Storage
    _readings: dict[str, Reading | None] = field(default_factory=dict)
    """By trial id, of the records read so far."""
    _alone: Sequence[str] = ()
    """The trial that was to be measured."""
    _least: dict[str, float] = field(default_factory=dict)
    """Shares of the trials that ran out of memory with less."""

    def shares(self, work: Sequence[str], recorded: Iterable[str]) -> dict[str, float]:
        """Shares of the trials to run next: one alone until there is a reading, then all.

        Raises:
            DataError: the one alone was recorded, without a reading.
        """
        self._read(recorded)
        found = [reading for reading in self._readings.values() if reading]
        if not found:
            self._check_measured()
            self._alone = work[:1]
            return dict.fromkeys(self._alone, 1.0)
        fitting = share(found)
        return {trial_id: max(fitting, self._least.get(trial_id, 0.0)) for trial_id in work}

    def _check_measured(self) -> None:
        """One after another on whole GPUs that nobody uses is not what was asked for."""
        if any(trial_id in self._readings for trial_id in self._alone):
            raise DataError(
                "--gpus-per-trial auto must read the memory of a GPU, but PyTorch found none where "
                f"trial {self._alone[0]} ran (see environment.device in its record): mend that "
                "node's CUDA, or give a number."
            )

    def ran_out(self, trial_id: str, reason: str, had: float) -> bool:
        """Whether a failure was too small a share; the next one is larger."""
        if had >= 1 or not is_out_of_gpu_memory(reason):
            return False
        self._least[trial_id] = _part(int(1 / had) - 1)
        return True

    def _read(self, recorded: Iterable[str]) -> None:
        new = set(recorded) - set(self._readings)
        for trial_id, record in self.storage.records(new, keep=("environment",)).items():
            memory = record["environment"].get("gpu_memory")
            self._readings[trial_id] = Reading(**memory) if memory else None
