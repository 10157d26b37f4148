"""What turns a spoken caption into the frames that a speech encoder reads."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from jaxtyping import Float
from torch import Tensor


class FrontEnd(ABC):
    """Nothing that a trial trains: `LogMel`, or a network with published weights."""

    @property
    @abstractmethod
    def key(self) -> str:
        """Names the transform: equal keys, equal frames."""

    @property
    @abstractmethod
    def width(self) -> int:
        """Number of values F of a frame."""

    @property
    @abstractmethod
    def in_workers(self) -> bool:
        """Whether loader processes can run it: they are forked, and cannot use a GPU."""

    @abstractmethod
    def __call__(self, wave_N: Float[Tensor, " N"]) -> Float[Tensor, "T F"]:
        """Frames of a 16 kHz mono waveform, at least one, on the CPU."""


def frames_of(wave_N: Float[Tensor, " N"], front: FrontEnd) -> Float[Tensor, "T F"]:
    """A waveform's frames as float16: streamed as they are cached, so that results are equal."""
    with _one_thread():
        return front(wave_N).half()


@contextmanager
def _one_thread() -> Iterator[None]:
    """A spectrogram is too small to share: with two threads it takes several times as long. And a
    network's last bits depend on their number, of which loader processes have one."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
