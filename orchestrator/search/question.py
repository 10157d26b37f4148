"""A search asked of some data: what is searched, from where, and by whom. Imports no torch."""

import hashlib
import itertools
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from data_shards import files
from data_shards.errors import UsageError, unknown
from data_shards.manifest import Data
from orchestrator.feature_plan import CACHE_LIMIT, fit
from orchestrator.resources import Resources
from orchestrator.storage import Storage
from search_spaces.search import Range, Search, Space
from search_spaces.sweep import Sweep, load
from trainables.data_check import check_data
from trainables.experiment import Experiment

SAMPLERS = ("tpe", "random", "gp", "cmaes")
PRUNERS = ("asha", "none")


@dataclass(frozen=True, kw_only=True)
class SearchQuestion:
    """Everything that fixes a study but the results so far."""

    sweep: Sweep
    base: Experiment
    space: Space
    dataset: str
    sampler: str
    pruner: str
    min_epochs: int
    """No trial is stopped before it."""
    name: str = ""
    """The study's name if the user gave one."""

    @property
    def study_id(self) -> str:
        """Its folder: the given name, or 12 hex digits of all that fixes the study."""
        text = json.dumps(self._identity(), sort_keys=True)
        return self.name or hashlib.sha256(text.encode()).hexdigest()[:12]

    def _identity(self) -> dict[str, Any]:
        return {
            "sweep": self.sweep.name,
            "base": self.base.differing(),
            "space": {name: _levels(over) for name, over in self.space.items()},
            "sampler": self.sampler,
            "pruner": self.pruner,
            "min_epochs": self.min_epochs,
        }

    def to_dict(self) -> dict[str, Any]:
        """What `asked_before` needs to ask again."""
        return self._identity() | {"dataset": self.dataset, "name": self.name}

    def experiment(self, params: Mapping[str, Any]) -> Experiment:
        """The training run of one point of the space."""
        return self.base.replace(**params).resolved()

    def check_same(self, storage: Storage) -> None:
        """A named study must be the one that was asked before.

        Raises:
            UsageError: the storage holds another under this name; says what differs.
        """
        before = storage.study(self.study_id)
        if not before:
            return
        was, now = _from_dict(before)._flat(), self._flat()
        differing = [key for key in {**was, **now} if was.get(key) != now.get(key)]
        if differing:
            changes = ", ".join(f"{k} was {was.get(k)}, now {now.get(k)}" for k in differing)
            raise UsageError(
                f"a study must keep its space and settings, but of {self.study_id!r} in "
                f"{files.shown(storage.url)} {changes}: give another --study name."
            )

    def _flat(self) -> dict[str, Any]:
        """All that fixes the study, one value a name."""
        own = self._identity()
        space = {f"space of {name}": levels for name, levels in own.pop("space").items()}
        return own | self.base.flat() | space | {"base": ""}


def check_search(
    sweep: Sweep,
    *,
    preset: Experiment,
    settings: Mapping[str, Any],
    also: Sequence[str],
    sampler: str,
    pruner: str,
    min_epochs: int | None,
    seed: int,
    name: str,
) -> tuple[Experiment, Space]:
    """The base and the space of a search, checked as far as that goes without the data.

    Raises:
        UsageError: a name, number or setting that cannot be.
    """
    assert isinstance(sweep.design, Search)
    space = sweep.design.with_also(also)
    check_choices(sampler=sampler, pruner=pruner)
    if not re.fullmatch(r"|[\w.-]*\w[\w.-]*", name):
        raise UsageError(f"--study must be letters, digits, . _ or -, but got {name!r}.")
    for field in settings:
        if field in space:
            raise UsageError(f"{field} must not be set: the sweep {sweep.name} searches it.")
    base = sweep.base(preset, settings).replace(seed=seed)
    base.replace(**{name: _first(over) for name, over in space.items()})  # it has these fields
    if base.selection != "val":
        raise UsageError(
            "a search must choose on held-out classes (selection=val), never on the test split, "
            f"but got selection={base.selection}."
        )
    check_min_epochs(min_epochs, epochs=base.epochs)
    return base, space


def check_choices(*, sampler: str, pruner: str) -> None:
    """Whether there are such.

    Raises:
        UsageError: there is no such sampler or pruner.
    """
    for option, value, known in (("sampler", sampler, SAMPLERS), ("pruner", pruner, PRUNERS)):
        if value not in known:
            raise unknown(f"--{option}", value, list(known))


def check_min_epochs(min_epochs: int | None, *, epochs: int) -> None:
    """Whether early stopping may begin there.

    Raises:
        UsageError: it is not within the first third of a trial.
    """
    most = max(1, epochs // 3)
    if min_epochs is not None and not 1 <= min_epochs <= most:
        raise UsageError(
            f"--min-epochs must be in 1–{most}, a third of a trial's epochs, "
            f"but got {min_epochs}: later nothing is stopped (that is --pruner none)."
        )


def ask_search(
    sweep: Sweep, *, data: Data, cache_limit: float = CACHE_LIMIT, **asked: Any
) -> SearchQuestion:
    """Check a search before anything runs; the arguments are those of `check_search`.

    Raises:
        UsageError: one of them cannot be, or the data cannot serve the search.
    """
    base, space = check_search(sweep, **asked)
    base = base.replace(data=data.manifest.hash)
    check_data(base, data.manifest)
    points = [base.replace(**point) for point in _points(space)]
    base = fit(base, points, data.manifest, cache_limit=cache_limit)
    kept = {key: asked[key] for key in ("sampler", "pruner", "name")}
    return SearchQuestion(
        sweep=sweep, base=base, space=space, dataset=data.manifest.dataset,
        min_epochs=asked["min_epochs"] or default_min_epochs(base.epochs), **kept,
    )  # fmt: skip


def _points(space: Space) -> list[dict[str, Any]]:
    """Points of the space that have all its features: the levels of all choices."""
    choices = {name: over for name, over in space.items() if not isinstance(over, Range)}
    combined = itertools.product(*choices.values())
    return [dict(zip(choices, levels, strict=True)) for levels in combined]


def check_resources(resources: Resources) -> None:
    """What a search cannot do with its GPUs.

    Raises:
        UsageError: it is to measure how many trials fit on one.
    """
    if resources.packed:
        raise UsageError(
            "--gpus-per-trial auto measures a sweep's first recorded trial, and a search records "
            "none: give a number, such as 0.5."
        )


def default_min_epochs(epochs: int) -> int:
    """When early stopping begins if nobody says: 3, or a third of a full trial if that is less.

    After one epoch most trials are still near chance, and ranks mean little (docs/search.md).
    """
    return max(1, min(3, epochs // 3))


def searches_before(name: str, storage: Storage) -> list[SearchQuestion]:
    """The studies of this sweep in the storage, for reports without the data.

    Raises:
        UsageError: there is none.
    """
    found = [study for study in storage.studies() if study["sweep"] == name]
    if not found:
        raise UsageError(
            f"a search must have begun, but {files.shown(storage.url)!r} has no study of {name}: "
            f"run `python -m orchestrator sweep {name}` first (a job that makes its data begins "
            "later), or name its --storage."
        )
    return [_from_dict(study) for study in found]


def _from_dict(study: Mapping[str, Any]) -> SearchQuestion:
    return SearchQuestion(
        sweep=load(study["sweep"]),
        base=Experiment.from_dict(study["base"]),
        space={name: _over(levels) for name, levels in study["space"].items()},
        **{key: study[key] for key in ("dataset", "sampler", "pruner", "min_epochs", "name")},
    )


def _first(over: Range | Sequence[Any]) -> Any:
    return over.low if isinstance(over, Range) else over[0]


def _levels(over: Range | Sequence[Any]) -> Any:
    return asdict(over) if isinstance(over, Range) else list(over)


def _over(levels: Any) -> Range | Sequence[Any]:
    return Range(**levels) if isinstance(levels, dict) else list(levels)
