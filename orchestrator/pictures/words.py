"""About where each word of a spoken caption is: the shards keep texts, but no timing."""

from typing import Any

import numpy as np

STEP = 0.01  # seconds
QUIET = 0.01  # of the loudest moment, 40 dB below it: silence


def spoken(wave_N: "np.ndarray[Any, Any]", rate: int) -> tuple[float, float]:
    """First and last moment (seconds) at which a waveform is louder than silence."""
    size = round(STEP * rate)
    steps = np.pad(wave_N, (0, -len(wave_N) % size)).reshape(-1, size)
    loud = np.sqrt(np.square(steps, dtype=np.float64).mean(axis=1))
    heard = np.flatnonzero(loud > QUIET * loud.max())
    if not len(heard):
        return 0.0, len(wave_N) / rate
    return float(heard[0]) * STEP, min(float(heard[-1] + 1) * STEP, len(wave_N) / rate)


def positions(text: str, start: float, end: float) -> list[tuple[str, float, float]]:
    """Each word with its begin and end, as if every letter took the same time."""
    words = text.split()
    ends = np.cumsum([0, *(len(word) for word in words)])
    times = start + (end - start) * ends / max(1, ends[-1])
    return [(word, float(times[n]), float(times[n + 1])) for n, word in enumerate(words)]
