"""What `--tune-first` tunes: of these fields, each arm's own, before arms are compared."""

from collections.abc import Sequence
from typing import Any

from data_shards.errors import UsageError
from search_spaces.search import Range, Space
from trainables.experiment import Experiment

SPACE: Space = {
    "gamma": Range(1.0, 100.0),
    "margin": Range(0.05, 2.0),
    "learning_rate": Range(1e-4, 1e-2),
    "weight_decay": Range(1e-6, 1e-2),
}
"""An arm has those that its loss and trainable read, less what the sweep itself decides."""


def space_of(arm: Experiment, space: Space, *, decided: Sequence[str]) -> Space:
    """The part of a space that an arm has: not what its sweep varies, nor what its loss lacks."""
    return {
        name: over for name, over in space.items() if name not in decided and _has(arm, name, over)
    }


def _has(arm: Experiment, name: str, over: Range | Sequence[Any]) -> bool:
    try:
        arm.replace(**{name: over.low if isinstance(over, Range) else over[0]})
    except UsageError:
        return False
    return True
