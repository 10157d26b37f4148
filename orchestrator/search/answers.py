"""The answer to a search, from its books: the best point, what early stopping saved."""

import shlex
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from orchestrator.search.question import SearchQuestion
from orchestrator.search.study import COMPLETE, Entry
from search_spaces.designs import format_value
from trainables.presets import PRESETS


@dataclass(frozen=True)
class SearchAnswer:
    """The books of a study, and the best full trial in them (None before there is one)."""

    question: SearchQuestion
    books: Sequence[Entry]

    @property
    def best(self) -> Entry | None:
        """The complete trial with the highest selection metric; the first of equals."""
        complete = [entry for entry in self.books if entry.state == COMPLETE]
        return max(complete, key=lambda entry: entry.value or 0.0, default=None)

    @property
    def counts(self) -> Counter[str]:
        """Trials by state."""
        return Counter(entry.state for entry in self.books)

    @property
    def epochs_spent(self) -> int:
        """Epochs trained so far."""
        return sum(len(entry.values) for entry in self.books)

    @property
    def epochs_full(self) -> int:
        """Epochs that these trials would take without early stopping."""
        return len(self.books) * self.question.base.epochs


def sentence(found: SearchAnswer) -> str:
    """The answer in one line."""
    if found.best is None:
        return "No answer yet: no trial was trained to its last epoch."
    point = " ".join(f"{name}={format_value(v)}" for name, v in found.best.params.items())
    return f"best: {point} — validation R@1 sum {found.best.value:.1f} (trial {found.best.number})"


def saving(found: SearchAnswer) -> str:
    """What was spent, in one line."""
    counts, share = found.counts, found.epochs_spent / max(1, found.epochs_full)
    return (
        f"{len(found.books)} trials: {counts['COMPLETE']} complete, {counts['PRUNED']} stopped "
        f"early, {counts['FAIL']} failed, {counts['RUNNING']} unfinished; "
        f"{found.epochs_spent} epochs spent of {found.epochs_full} ({share:.0%})"
    )


def claim_command(found: SearchAnswer, *, data: str, storage: str) -> str:
    """The command that measures the best point: a search's own score is the best of many draws.

    On the data of the search, into its storage. The preset is the one that needs the fewest
    settings.
    """
    assert found.best is not None
    chosen = found.question.experiment(found.best.params).flat()
    differing = {name: _differing(chosen, PRESETS[name].flat()) for name in PRESETS}
    preset = min(differing, key=lambda name: len(differing[name]))
    settings = [f"--set {shlex.quote(f'{k}={v}')}" for k, v in differing[preset].items()]
    locations = [f"--data {shlex.quote(data)}", f"--storage {shlex.quote(storage)}"]
    command = ["python -m orchestrator sweep point --preset", preset, *settings, "--seeds 5"]
    return " ".join(command + locations)


def _differing(own: dict[str, Any], preset: dict[str, Any]) -> dict[str, Any]:
    return {
        name: value
        for name, value in own.items()
        if name not in ("data", "seed") and preset.get(name) != value
    }


def as_dict(found: SearchAnswer) -> dict[str, Any]:
    """The answer for machines."""
    best = found.best
    return {
        "sweep": found.question.sweep.name,
        "study_id": found.question.study_id,
        "sampler": found.question.sampler,
        "pruner": found.question.pruner,
        "best": best and {"number": best.number, "params": best.params, "selection": best.value},
        "trials": dict(found.counts),
        "epochs_spent": found.epochs_spent,
        "epochs_full": found.epochs_full,
    }
