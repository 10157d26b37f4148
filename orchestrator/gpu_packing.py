"""`--gpus-per-trial auto`: as many trials a GPU as its memory holds, by what a trial has used.

The first trial of a plan has a whole GPU; its record holds the peak of its memory, and the others
get the largest share that fits. The shares follow from the records alone: a command that goes on
after a stop measures nothing anew.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import torch

from data_shards.errors import DataError
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


def next_share(had: float) -> float:
    """The next larger 1/k of a GPU than a share below 1."""
    return _part(int(1 / had) - 1)


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
        return dict.fromkeys(work, share(found))

    def _check_measured(self) -> None:
        """One after another on whole GPUs that nobody uses is not what was asked for."""
        if any(trial_id in self._readings for trial_id in self._alone):
            raise DataError(
                "--gpus-per-trial auto must read the memory of a GPU, but PyTorch found none where "
                f"trial {self._alone[0]} ran (see environment.device in its record): mend that "
                "node's CUDA, or give a number."
            )

    def _read(self, recorded: Iterable[str]) -> None:
        new = set(recorded) - set(self._readings)
        for trial_id, record in self.storage.records(new, keep=("environment",)).items():
            memory = record["environment"].get("gpu_memory")
            self._readings[trial_id] = Reading(**memory) if memory else None
