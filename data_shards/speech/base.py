"""What speaks captions: one engine a file, found by file name."""

import abc

import numpy as np
import numpy.typing as npt

from data_shards.errors import UsageError

RATE = 16_000  # Hz, of every stored caption

Samples = npt.NDArray[np.int16]


class SpeechEngine(abc.ABC):
    """Turns text into speech; the same (text, voice) always gives the same samples.

    Subclasses are final. Their constructor raises UsageError, with how to install it, where the
    engine is missing.
    """

    @property
    @abc.abstractmethod
    def name(self) -> str:
        """The engine's name in the manifest."""

    @property
    @abc.abstractmethod
    def version(self) -> str:
        """Version of the installed engine."""

    @abc.abstractmethod
    def voices(self, count: int) -> list[str]:
        """The first `count` voices, chosen to sound like different people.

        Raises:
            UsageError: there are not as many.
        """

    @abc.abstractmethod
    def say(self, text: str, *, voice: str) -> Samples:
        """Mono samples at 16 kHz, shape (samples,); silence or none if nothing can be spoken.

        Raises:
            DataError: the engine failed on this text.
        """

    @abc.abstractmethod
    def close(self) -> None:
        """End the engine's process, if it has one."""


def first_voices(known: tuple[str, ...], *, count: int) -> list[str]:
    """The first `count` of `known`, or a UsageError with how many there are."""
    if not 1 <= count <= len(known):
        raise UsageError(f"voices must be from 1 to {len(known)}, but got {count}.")
    return list(known[:count])


def first_line(error: Exception) -> str:
    """What an engine's library says, short enough for a line of ours."""
    return str(error).strip().partition("\n")[0]


def resample(samples: Samples, *, rate: int) -> Samples:
    """Samples taken at `rate` Hz, at 16 kHz (polyphase filter; rounded, clipped)."""
    if rate == RATE or not len(samples):
        return samples
    from scipy.signal import resample_poly  # takes a second: only where something is spoken

    resampled = resample_poly(samples.astype(np.float32), RATE, rate)
    rounded: Samples = np.rint(resampled).clip(-32768, 32767).astype(np.int16)
    return rounded
