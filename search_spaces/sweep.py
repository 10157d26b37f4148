"""Sweep: a question as data, and the lookup of those that stand in this folder."""

import importlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from data_shards.errors import UsageError, unknown
from search_spaces import own
from search_spaces.designs import Design, Plan, Scores
from search_spaces.search import Search, Space
from search_spaces.tuning import SPACE
from trainables.experiment import Experiment
from trainables.own import Source

_NOT_SWEEPS = {"__init__", "designs", "own", "search", "sweep", "thesis_values", "tuning"}


@dataclass(frozen=True, kw_only=True)
class Sweep:
    """A question, where the thesis asks it, and the design that answers it.

    The metric is always the selection metric `r1_sum`: R@1 speech→image plus R@1 image→speech,
    percent, on the split that the experiment's `selection` names.
    """

    name: str = ""
    """A built-in sweep's; one of one's own is named as its file."""
    question: str
    source: str
    design: Design | Search
    changes: Mapping[str, Any] = field(default_factory=dict)
    """Fields that the question fixes, on top of the preset."""
    datasets: Sequence[str] = ("oxford102", "cub200")
    """Data sets on which the thesis asks it."""
    table: str = ""
    """The thesis' table of it, a file of `thesis/`; empty where it has none."""
    rows: Mapping[str, str] = field(default_factory=dict)
    """Cell → its row in that table; cells that are not here have the row of their own label."""
    side_by_side: bool = False
    """Whether Grad-CAMs of all its cells are drawn side by side (Figure 5.5)."""
    quoted: Sequence[str] = ()
    """Cells whose values the thesis quotes from other papers, trained on other settings."""
    tuning: Space = field(default_factory=lambda: SPACE)
    """What `--tune-first` may tune of each cell."""
    trainable: str = ""
    """File of a trainable of one's own, from the folder of the sweep's file; "" is VFSEL."""
    file: str = ""
    """Where a sweep of one's own was loaded from, as it was given; "" is a built-in one."""
    code: Source | None = None
    """The source of `trainable`, once the sweep is loaded."""

    @property
    def asked_as(self) -> str:
        """What a command line calls it."""
        return self.file or self.name

    def base(self, preset: Experiment, settings: Mapping[str, Any]) -> Experiment:
        """The preset with the question's own changes, then the user's `--set` values.

        Raises:
            UsageError: a setting names a field that the sweep varies, or breaks a field's rule.
        """
        for name in settings:
            if name in [*self.design.fields, "seed", "data"]:
                raise UsageError(f"{name} must not be set: the sweep {self.name} decides it.")
        start = self.code.experiment(preset) if self.code else preset
        return start.replace(**dict(self.changes)).replace(**dict(settings))

    def plan(self, base: Experiment, seeds: Sequence[int], scores: Scores) -> Plan:
        """The trials wanted given the scores so far (see `Design.plan`).

        Raises:
            UsageError: the sweep is a search.
        """
        if isinstance(self.design, Search):
            raise UsageError(
                f"{self.name} is a search, whose trials are not known beforehand: `sweep` runs it, "
                "`status` and `report` show it."
            )
        return self.design.plan(base, seeds, scores)


def names() -> list[str]:
    """Names of all sweeps: the files beside this one."""
    files = (file.stem for file in Path(__file__).parent.glob("*.py"))
    return sorted(set(files) - _NOT_SWEEPS)


_OWN: dict[str, Sweep] = {}
"""The sweeps of one's own that this process was given, by name."""


def load(name: str) -> Sweep:
    """The sweep of that name; of that file, if it is one (`my_sweep.py`), which then has its name.

    Raises:
        UsageError: there is none, or a file that cannot be run.
    """
    if own.is_path(name):
        found = own.load(name, built_in=names())
        _OWN[found.name] = found
        return found
    if name in _OWN:
        return _OWN[name]
    if name not in names():
        raise UsageError(
            f"{unknown('sweep', name, names())} One of your own is named by its file, as {name}.py."
        )
    sweep: Sweep = importlib.import_module(f"search_spaces.{name}").SWEEP
    return sweep
