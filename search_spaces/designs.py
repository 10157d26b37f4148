"""Designs: how a question becomes trials. A design is a pure function of the scores so far."""

import itertools
import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from data_shards.errors import UsageError
from trainables.experiment import Experiment

Scores = Callable[[str], float | None]
"""Selection metric of a recorded trial by its id; None if it has no record."""


@dataclass(frozen=True)
class Trial:
    """One training run of a sweep: what to run, and which fields make it differ from its peers."""

    experiment: Experiment
    varies: Mapping[str, Any]

    @property
    def id(self) -> str:
        """The experiment's trial id."""
        return self.experiment.trial_id

    def resolved(self) -> "Trial":
        """The same trial, nothing of it left to be chosen."""
        return replace(self, experiment=self.experiment.resolved())

    @property
    def cell(self) -> str:
        """What varies but the seed, e.g. `gamma=13`; empty for a lone cell."""
        return cell_label(self.varies)

    @property
    def name(self) -> str:
        """What varies, e.g. `gamma=13 seed=0`."""
        return f"{self.cell} seed={self.experiment.seed}".strip()


@dataclass(frozen=True)
class Plan:
    """The trials that a design wants now; `undecided` says what later records will add, if any."""

    trials: list[Trial]
    undecided: str = ""
    left_out: list[Trial] = field(default_factory=list)
    """Trials that a budget does not reach."""


class Design(ABC):
    """Turns a base experiment and the scores so far into trials."""

    @property
    @abstractmethod
    def fields(self) -> list[str]:
        """Names of the fields that the design decides."""

    @property
    @abstractmethod
    def axes(self) -> list[str]:
        """Keys of what varies in each trial, in order."""

    @abstractmethod
    def plan(self, base: Experiment, seeds: Sequence[int], scores: Scores) -> Plan:
        """The trials wanted given the scores so far; calling it again with more scores may add
        trials but never drops one."""

    def priority(self, trials: Sequence[Trial]) -> list[Trial]:
        """Trials in the order in which a budget buys them: replicate by replicate, each with the
        baseline first."""
        return sorted(trials, key=lambda t: (t.experiment.seed, not is_thesis_own(t.varies)))


@dataclass(frozen=True)
class Factorial(Design):
    """Every combination of the factors' levels; without factors: one cell, the base itself."""

    factors: Mapping[str, Sequence[Any]] = field(default_factory=dict)

    @property
    def fields(self) -> list[str]:
        """The factors."""
        return list(self.factors)

    @property
    def axes(self) -> list[str]:
        """The factors."""
        return list(self.factors)

    def plan(self, base: Experiment, seeds: Sequence[int], scores: Scores) -> Plan:
        """All cells at all seeds; needs no score."""
        cells = itertools.product(*self.factors.values())
        return Plan(
            [
                trial
                for levels in cells
                for trial in _replicates(
                    base, dict(zip(self.factors, levels, strict=True)), seeds=seeds
                )
            ]
        )


VARIANT = "variant"
"""The axis of named variants."""


@dataclass(frozen=True)
class Variants(Design):
    """Named variants of the base, e.g. one component left out; the first is the baseline.

    Each sets some fields. A variant of a `backbones` entry comes with the image encoder of its
    paper where the base has the thesis' own (ResNet-101); any other is shared by all.
    """

    variants: Mapping[str, Mapping[str, Any]]
    backbones: Mapping[str, str] = field(default_factory=dict)

    @property
    def fields(self) -> list[str]:
        """All fields that a variant sets."""
        return sorted({name for changes in self.variants.values() for name in changes})

    @property
    def axes(self) -> list[str]:
        """The variant's name."""
        return [VARIANT]

    def plan(self, base: Experiment, seeds: Sequence[int], scores: Scores) -> Plan:
        """All variants at all seeds; needs no score."""
        cells = ((name, self._cell(base, name)) for name in self.variants)
        return Plan(
            [
                Trial(cell.replace(seed=seed), {VARIANT: name})
                for name, cell in cells
                for seed in seeds
            ]
        )

    def _cell(self, base: Experiment, name: str) -> Experiment:
        cell = base.replace(**self.variants[name])
        own = self.backbones.get(name)
        as_published = own and base.image_encoder == Experiment().image_encoder
        return cell.replace(image_encoder=own) if as_published else cell


@dataclass(frozen=True)
class Refine(Design):
    """Coarse levels of one number first, then the integers inside the best interval.

    The best interval is the pair of adjacent coarse levels with the highest mean score over seeds
    (thesis §5.3.1: [10, 20] won, then 13).
    """

    name: str
    coarse: Sequence[float]
    most: int = 9
    """At most so many levels in the second stage, evenly spaced."""

    @property
    def fields(self) -> list[str]:
        """The one field."""
        return [self.name]

    @property
    def axes(self) -> list[str]:
        """The one field."""
        return [self.name]

    def plan(self, base: Experiment, seeds: Sequence[int], scores: Scores) -> Plan:
        """The coarse stage, and once all of it is scored, the fine stage.

        Raises:
            UsageError: the experiment has no selection metric to choose an interval by.
        """
        if base.selection == "last":
            raise UsageError(
                f"refining {self.name} needs a score to choose by, but selection=last has none: "
                "use --set selection=val, or selection=test for the oracle."
            )
        coarse = self._stage(base, self.coarse, seeds)
        means = [_mean_score(self._stage(base, [level], seeds), scores) for level in self.coarse]
        known = [mean for mean in means if mean is not None]
        if len(known) < len(means):
            return Plan(
                coarse,
                f"stage 2: inside the best interval of {self.name}, once stage 1 is recorded",
            )
        pairs = [sum(pair) for pair in itertools.pairwise(known)]
        best = pairs.index(max(pairs))
        inside = interior(self.coarse[best], self.coarse[best + 1], most=self.most)
        return Plan(coarse + self._stage(base, inside, seeds))

    def priority(self, trials: Sequence[Trial]) -> list[Trial]:
        """The coarse stage before the fine one, each replicate by replicate."""
        coarse = [trial for trial in trials if trial.varies[self.name] in self.coarse]
        fine = [trial for trial in trials if trial.varies[self.name] not in self.coarse]
        return super().priority(coarse) + super().priority(fine)

    def _stage(
        self, base: Experiment, levels: Sequence[float], seeds: Sequence[int]
    ) -> list[Trial]:
        return [
            trial
            for level in levels
            for trial in _replicates(base, {self.name: level}, seeds=seeds)
        ]


def interior(low: float, high: float, *, most: int) -> list[float]:
    """The integers strictly between two levels; if more than `most`, that many evenly spaced."""
    inside = range(math.floor(low) + 1, math.ceil(high))
    if len(inside) <= most:
        return [float(level) for level in inside]
    step = (high - low) / (most + 1)
    return [float(round(low + step * count)) for count in range(1, most + 1)]


def is_thesis_own(varies: Mapping[str, Any]) -> bool:
    """Whether a cell has the thesis' own levels: VFSEL itself, the baseline of its sweep."""
    own = Experiment().flat()
    return all(own.get(name) == level for name, level in varies.items())


def cell_label(varies: Mapping[str, Any]) -> str:
    """What varies, e.g. `gamma=13`, or a variant's name; empty where nothing does."""
    return " ".join(
        value if key == VARIANT else f"{key}={format_value(value)}" for key, value in varies.items()
    )


def format_value(value: Any) -> str:
    """A level as a person writes it: 13.0 is 13, True is on."""
    if isinstance(value, bool):
        return "on" if value else "off"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _replicates(
    base: Experiment, varies: Mapping[str, Any], *, seeds: Sequence[int]
) -> list[Trial]:
    cell = base.replace(**varies)
    return [Trial(cell.replace(seed=seed), varies) for seed in seeds]


def _mean_score(trials: Sequence[Trial], scores: Scores) -> float | None:
    found = [score for trial in trials if (score := scores(trial.id)) is not None]
    return sum(found) / len(found) if len(found) == len(trials) else None
