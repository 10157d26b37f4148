"""What was found, as tidy rows: one number each, with all that says what it is."""

from collections.abc import Iterator, Mapping
from typing import Any

from orchestrator.planning import Question
from orchestrator.storage import Storage
from search_spaces.designs import Trial

BOTH = "both"
_DIRECTIONS = ("s2i", "i2s")


def swept_rows(question: Question, storage: Storage) -> Iterator[dict[str, Any]]:
    """The selection metric and all test metrics of each recorded trial of a sweep.

    Raises:
        DataError: a record is damaged.
    """
    trials = question.plan(storage).trials
    records = storage.records((trial.id for trial in trials), keep=("selection", "test"))
    for trial in trials:
        if trial.id not in records:
            continue
        which = _which(trial, question.sweep.name, question.dataset, question.plan_id)
        which |= {"chosen_on": trial.experiment.selection}
        chosen = records[trial.id]["selection"]
        if chosen["split"] == "val":
            yield which | _number("val", "r1_sum", chosen["value"])
        for name, value in records[trial.id]["test"].items():
            yield which | _number("test", name, value)


def searched_rows(question: Any, storage: Storage) -> Iterator[dict[str, Any]]:
    """The best selection metric of each trial of a search; a search never reads the test split."""
    from orchestrator.search.study import entries
    from orchestrator.search.watching import STATES

    for entry in entries(question, storage):
        trial = Trial(question.experiment(entry.params), entry.params)
        which = _which(trial, question.sweep.name, question.dataset, question.study_id)
        about = {"number": entry.number, "state": STATES[entry.state], "chosen_on": "val"}
        yield which | about | _number("val", "r1_sum", entry.value)


def _which(trial: Trial, sweep: str, dataset: str, plan: str) -> dict[str, Any]:
    where = {"sweep": sweep, "dataset": dataset, "plan": plan, "trial": trial.id}
    varies: Mapping[str, Any] = trial.varies
    return where | {"cell": trial.cell} | dict(varies) | {"seed": trial.experiment.seed}


def _number(split: str, name: str, value: float | None) -> dict[str, Any]:
    """`s2i_r1` → direction s2i, metric r1; what is of both, as `r1_sum`, keeps its name."""
    direction, _, metric = name.partition("_")
    if direction not in _DIRECTIONS:
        direction, metric = BOTH, name
    return {"split": split, "direction": direction, "metric": metric, "value": value}
