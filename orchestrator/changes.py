"""What a question changes of the nearest one that was asked of a storage before."""

from dataclasses import dataclass
from typing import Any

from data_shards.errors import UsageError
from orchestrator.planning import Question, asked_before
from orchestrator.storage import Storage
from orchestrator.version import code_version


@dataclass(frozen=True)
class Changes:
    """Compared with the stored plan `against`; pairs are (before, now)."""

    against: str
    fields: dict[str, tuple[Any, Any]]
    """Fields of the base; the data's hash is `data`."""
    seeds: tuple[int, int]
    code: tuple[list[str], str]
    """Versions that wrote the stored plan's records, and this one."""
    added: list[str]
    removed: list[str]
    """Names of trials."""

    def lines(self) -> list[str]:
        """For people, a line a kind of change."""
        pairs = self.fields | ({"seeds": self.seeds} if self.seeds[0] != self.seeds[1] else {})
        shown = [f"{name} {before} → {now}" for name, (before, now) in pairs.items()]
        versions, now = self.code
        if versions and versions != [now]:
            shown.append(f"code {', '.join(versions)} → {now}")
        counts = f"{len(self.added)} trials added, {len(self.removed)} removed"
        return [f"since plan {self.against}: {', '.join([*shown, counts])}"]


def changes(question: Question, storage: Storage) -> Changes | None:
    """Against the stored plan of this sweep that differs in the fewest fields, the same data set
    first; None where this sweep was never asked."""
    try:
        before = asked_before(question.sweep.asked_as, storage)
    except UsageError:
        return None
    nearest = min(
        before, key=lambda old: (old.dataset != question.dataset, _distance(old, question))
    )
    earlier = {trial.id: trial.name for trial in nearest.plan(storage).trials}
    now = {trial.id: trial.name for trial in question.plan(storage).trials}
    return Changes(
        against=nearest.plan_id,
        fields=_fields(nearest, question),
        seeds=(nearest.seeds, question.seeds),
        code=(_versions(storage, set(earlier)), code_version()),
        added=[name for trial_id, name in now.items() if trial_id not in earlier],
        removed=[name for trial_id, name in earlier.items() if trial_id not in now],
    )


def _fields(before: Question, now: Question) -> dict[str, tuple[Any, Any]]:
    old, new = before.base.flat(), now.base.flat()
    names = sorted(old.keys() | new.keys())
    return {n: (old.get(n), new.get(n)) for n in names if old.get(n) != new.get(n)}


def _distance(before: Question, now: Question) -> tuple[int, str]:
    return len(_fields(before, now)), before.plan_id


def _versions(storage: Storage, trial_ids: set[str]) -> list[str]:
    records = storage.records(trial_ids, keep=("environment",)).values()
    return sorted({record["environment"]["code"] for record in records if "environment" in record})
