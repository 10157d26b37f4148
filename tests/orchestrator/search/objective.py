"""A search without training: a question, and a score that can be worked out by hand."""

import math
from typing import Any

from orchestrator.search.question import SearchQuestion
from orchestrator.search.study import Study
from orchestrator.storage import Storage
from search_spaces.search import Search
from search_spaces.sweep import load
from trainables.presets import PRESETS

EPOCHS = PRESETS["demo"].epochs


def question(
    *, sampler: str = "tpe", pruner: str = "asha", also: tuple[str, ...] = (), **other: Any
) -> SearchQuestion:
    """`tune` on no data in particular."""
    sweep = load("tune")
    assert isinstance(sweep.design, Search)
    return SearchQuestion(
        sweep=sweep,
        base=PRESETS["demo"].replace(data="0123456789abcdef", seed=other.pop("seed", 0)),
        space=sweep.design.with_also(also),
        dataset="drawn",
        sampler=sampler,
        pruner=pruner,
        min_epochs=1,
        **other,
    )


def score(params: dict[str, Any], epoch: int) -> float:
    """Highest at γ = 13 and a learning rate of 1e-3, rising by one an epoch."""
    away = abs(math.log10(params["gamma"] / 13)) + abs(math.log10(params["learning_rate"] / 1e-3))
    return 100 - 20 * away + epoch


def advance(study: Study, *, trials: int, steps: int = 10**6) -> bool:
    """Train one trial after the other, `steps` epochs at most; whether all are done."""
    while True:
        unfinished = study.unfinished
        if not unfinished and len(study.books) >= trials:
            return True
        number = unfinished[0] if unfinished else study.ask()
        for epoch in range(1, EPOCHS + 1):
            if not steps:
                return False
            steps -= 1
            if study.report(number, epoch=epoch, score=score(study.books[number].params, epoch)):
                break


def searched(folder: Any, trials: int, **asked: Any) -> Study:
    """A finished study."""
    study = Study(question(**asked), Storage(str(folder)))
    assert advance(study, trials=trials)
    return study
