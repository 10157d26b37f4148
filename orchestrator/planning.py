"""Plan minus records = work. Reads the storage, runs nothing, and imports no torch."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from data_shards import files
from data_shards.errors import UsageError
from data_shards.manifest import Data, Manifest
from orchestrator.budget import Budget
from orchestrator.feature_plan import CACHE_LIMIT, fit
from orchestrator.storage import Storage
from search_spaces.designs import Plan, Trial
from search_spaces.sweep import Sweep, load
from trainables.data_check import check_data
from trainables.experiment import Experiment


@dataclass(frozen=True)
class Tuned:
    """What `--tune-first` found on validation classes, with the same budget for every arm."""

    points: Mapping[str, Mapping[str, Any]]
    """Arm (a cell's label) → the fields that were tuned for it, and their values."""
    studies: Mapping[str, str]
    """Arm → the id of its search; empty where it had nothing to tune."""
    trials: int
    sampler: str
    pruner: str
    min_epochs: int | None


@dataclass(frozen=True)
class Question:
    """A sweep asked of some data: everything that fixes its plan but the records so far."""

    sweep: Sweep
    base: Experiment
    seeds: int
    dataset: str
    facts: Mapping[str, Any] = field(default_factory=dict)
    """What reports say of the data (`facts_of`); empty where an older plan holds none."""
    tuned: Tuned | None = None
    """What was tuned for each arm beforehand, if anything was."""
    budget: Budget | None = None
    """What trials may cost together; never stored, so that reports say what it left out."""

    @property
    def plan_id(self) -> str:
        """12 hex digits: the sweep and its base, not the seeds, so that replicates join it."""
        own = [self.sweep.name, self.base.differing()]
        points = [dict(self.tuned.points)] if self.tuned else []
        text = json.dumps(own + points, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:12]

    def to_dict(self) -> dict[str, Any]:
        """What `asked_before` needs to ask again."""
        return {
            "plan_id": self.plan_id,
            "sweep": self.sweep.name,
            "base": self.base.to_dict(),
            "seeds": self.seeds,
            "dataset": self.dataset,
            "facts": dict(self.facts),
            **({"tuned": asdict(self.tuned)} if self.tuned else {}),
        }

    def plan(self, storage: Storage) -> Plan:
        """The trials wanted, given what is recorded; each once, and nothing in it `auto`."""
        found = self.sweep.plan(self.base, range(self.seeds), storage.score)
        wanted = (self._tuned(trial).resolved() for trial in found.trials)
        trials = {trial.id: trial for trial in wanted}
        plan = Plan(list(trials.values()), found.undecided)
        return self.budget.trim(plan, self.sweep.design) if self.budget else plan

    def _tuned(self, trial: Trial) -> Trial:
        point = self.tuned.points.get(trial.cell, {}) if self.tuned else {}
        return replace(trial, experiment=trial.experiment.replace(**point))


def facts_of(manifest: Manifest) -> dict[str, Any]:
    """Plain facts of a packed data set, for reports that are made where it is not."""
    splits = {
        name: {"classes": len(split.classes), "images": split.samples, "captions": split.captions}
        for name, split in manifest.splits.items()
    }
    return {
        "source": manifest.source,
        "options": manifest.options,
        "speech": manifest.speech,
        "skipped": manifest.skipped,
        "splits": splits,
    }


def ask(
    sweep: Sweep,
    *,
    preset: Experiment,
    settings: Mapping[str, Any],
    seeds: int,
    data: Data,
    cache_limit: float = CACHE_LIMIT,
) -> Question:
    """Check a question before anything runs.

    Args:
        cache_limit: GB of derived features that a node may keep.

    Raises:
        UsageError: fewer than one seed, a bad setting, or data that cannot serve it.
    """
    if seeds < 1:
        raise UsageError(f"--seeds must be >= 1, but got {seeds}.")
    base = sweep.base(preset, settings).replace(data=data.manifest.hash)
    check_data(base, data.manifest)
    trials = sweep.plan(base, range(seeds), lambda _: None).trials
    planned = [trial.experiment for trial in trials]
    for experiment in planned:
        check_data(experiment, data.manifest)
    base = fit(base, planned, data.manifest, cache_limit=cache_limit)
    return Question(sweep, base, seeds, data.manifest.dataset, facts_of(data.manifest))


def asked_before(name: str, storage: Storage) -> list[Question]:
    """The questions of this sweep that were put to this storage, for reports without the data.

    Raises:
        UsageError: there is none.
    """
    sweep = load(name)
    found = [plan for plan in storage.plans() if plan["sweep"] == sweep.name]
    if sweep.code:  # one plan of another source may have other parameters
        found = [plan for plan in found if plan["base"].get("trainable") == sweep.code.reference]
    if not found:
        now = f" with {sweep.code.shown} as it is now" if sweep.code else ""
        raise UsageError(
            f"a sweep must have been run, but {files.shown(storage.url)!r} has none of "
            f"{sweep.name}{now}: run `python -m orchestrator sweep {sweep.asked_as}` first, or "
            "name its --storage."
        )
    return [
        Question(
            sweep,
            Experiment.from_dict(p["base"]),
            p["seeds"],
            p["dataset"],
            p.get("facts", {}),
            Tuned(**p["tuned"]) if "tuned" in p else None,
        )
        for p in found
    ]


def missing(plan: Plan, storage: Storage) -> list[Trial]:
    """The trials of a plan that have no record; only names are listed."""
    recorded = storage.record_ids()
    return [trial for trial in plan.trials if trial.id not in recorded]
