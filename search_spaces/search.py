"""Search: a design whose next trial a sampler chooses from the results of those before."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from data_shards.errors import UsageError, unknown


@dataclass(frozen=True)
class Range:
    """All numbers from `low` to `high`, both included, drawn evenly on a logarithmic scale.

    Raises:
        UsageError: not 0 < low < high < ∞.
    """

    low: float
    high: float

    def __post_init__(self) -> None:
        if not 0 < self.low < self.high < math.inf:
            raise UsageError(f"a range must be 0 < low < high, but got {self.low}, {self.high}.")


Space = Mapping[str, Range | Sequence[Any]]
"""What is searched: a range, or a choice of levels, for each field of the experiment."""


@dataclass(frozen=True)
class Search:
    """Adaptive search over some fields; it chooses hyperparameters and claims nothing.

    A claim needs trials at full budget with paired seeds: a `Factorial` of what was found.
    """

    space: Space
    optional: Space = field(default_factory=dict)
    """Fields that are searched too if asked (`--also`)."""

    @property
    def fields(self) -> list[str]:
        """Names of the fields that are always searched."""
        return list(self.space)

    def with_also(self, names: Sequence[str]) -> Space:
        """The space with optional fields added.

        Raises:
            UsageError: an optional field that there is not.
        """
        for name in names:
            if name not in self.optional:
                raise unknown("--also", name, list(self.optional))
        return dict(self.space) | {name: self.optional[name] for name in names}
