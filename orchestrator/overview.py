"""All sweeps of some data together: how many trials their tables have, how many must run."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from data_shards.errors import UsageError
from orchestrator.planning import Question
from orchestrator.storage import Storage
from search_spaces.designs import Plan


@dataclass(frozen=True)
class Overview:
    """Plans by sweep, in the order in which they are shown; a trial may stand in several."""

    plans: Mapping[str, Plan]
    recorded: frozenset[str]
    refused: Mapping[str, str]
    """Why the data cannot serve the other sweeps."""

    @property
    def asked(self) -> int:
        """Trials in all tables, a shared one in each."""
        return sum(len(plan.trials) for plan in self.plans.values())

    @property
    def distinct(self) -> set[str]:
        """Ids of the trials, each once."""
        return {trial.id for plan in self.plans.values() for trial in plan.trials}

    def rows(self) -> list[dict[str, Any]]:
        """A sweep each: its trials, and how many of them an earlier row has already."""
        found, above = [], set[str]()
        for name, plan in self.plans.items():
            ids = {trial.id for trial in plan.trials}
            found.append(
                {
                    "sweep": name, "trials": len(ids), "shared": len(ids & above),
                    "recorded": len(ids & self.recorded), "undecided": plan.undecided,
                }
            )  # fmt: skip
            above |= ids
        return found

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "sweeps": self.rows(),
            "refused": dict(self.refused),
            "trials": self.asked,
            "distinct": len(self.distinct),
            "recorded": len(self.distinct & self.recorded),
        }


def overview(questions: Mapping[str, Question | UsageError], storage: Storage) -> Overview:
    """What all these questions want as the storage stands at this moment; an error in the place of
    a question says why it cannot be asked."""
    asked = {name: q for name, q in questions.items() if isinstance(q, Question)}
    refused = {name: str(q) for name, q in questions.items() if isinstance(q, UsageError)}
    plans = {name: question.plan(storage) for name, question in asked.items()}
    return Overview(plans, frozenset(storage.record_ids()), refused)


def lines(found: Overview, *, storage: str) -> list[str]:
    """The overview for people."""
    shown = [f"{'sweep':24}{'trials':>8}{'shared':>8}{'recorded':>10}  undecided"]
    for row in found.rows():
        counts = f"{row['trials']:>8}{row['shared']:>8}{row['recorded']:>10}"
        shown.append(f"{row['sweep']:24}{counts}  {row['undecided']}".rstrip())
    shown += [f"{name:24}{'not here':>26}  {reason}" for name, reason in found.refused.items()]
    done = len(found.distinct & found.recorded)
    return [
        *shown,
        f"{found.asked} trials in these tables, {len(found.distinct)} distinct: "
        f"{done} recorded in {storage}, {len(found.distinct) - done} to run.",
    ]
