"""Engines that speak captions: one file each, found by its name."""

from importlib import import_module
from pathlib import Path

from data_shards.errors import unknown
from data_shards.speech.base import RATE, SpeechEngine

__all__ = ["RATE", "SpeechEngine", "engine", "names"]

_SHARED = {"__init__", "base", "espeak_worker"}


def names() -> list[str]:
    """Names of all engines, installed or not."""
    return sorted({file.stem for file in Path(__file__).parent.glob("*.py")} - _SHARED)


def engine(name: str) -> SpeechEngine:
    """Start the engine of that name; the caller closes it.

    Raises:
        UsageError: no such engine, or it is not installed.
    """
    if name not in names():
        raise unknown("speech engine", name, names())
    started: SpeechEngine = import_module(f"data_shards.speech.{name}").Engine()
    return started
