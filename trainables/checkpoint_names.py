"""Names of checkpoints. Imports no torch, since storage reads it."""

import re
from collections.abc import Iterable


def last(epoch: int) -> str:
    """File with all that is needed to go on behind an epoch."""
    return f"last-{epoch:05}.pt"


def best(epoch: int) -> str:
    """File with the trainable weights of an epoch that was the best so far."""
    return f"best-{epoch:05}.pt"


def epochs(names: Iterable[str], kind: str) -> list[int]:
    """Epochs of the files of a kind, `last` or `best`, in order; other names are left out."""
    found = (re.fullmatch(rf"{kind}-([0-9]{{5,}})\.pt", name) for name in names)
    return sorted(int(match[1]) for match in found if match)
