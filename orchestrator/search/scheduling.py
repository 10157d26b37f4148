"""Ray Tune's side of a study: what it asks (a searcher) and what it obeys (a scheduler)."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from ray.tune.schedulers import FIFOScheduler, TrialScheduler
from ray.tune.search import Searcher

from orchestrator.relay import failure_of
from orchestrator.search.study import FAIL, Study
from orchestrator.tries import is_lasting
from search_spaces.designs import Trial

Config = Callable[[Trial], dict[str, Any]]


class StudySearcher(Searcher):  # type: ignore[misc]  # Ray is untyped
    """Suggests what the study left unfinished, then what its sampler says, up to `trials`."""

    def __init__(self, study: Study, *, trials: int, config: Config) -> None:
        super().__init__(metric="metrics/r1_sum", mode="max")
        self._study, self._trials, self._config = study, trials, config
        self._unfinished = study.unfinished

    def suggest(self, trial_id: str) -> Any:
        """The config of the next trial, or that there is none."""
        if self._unfinished:
            number = self._unfinished.pop(0)
        elif len(self._study.books) < self._trials:
            number = self._study.ask()
        else:
            return self.FINISHED
        config = self._config(self._study.trial(number))
        return {"trial": config | {"number": number}}

    def on_trial_complete(self, trial_id: str, result: Any = None, error: bool = False) -> None:
        """The scheduler has told the study already; it alone sees the reason of a failure."""

    def save(self, checkpoint_path: str) -> None:
        """Nothing: the study's books are in the storage. Tune would pickle."""
        Path(checkpoint_path).touch()

    def restore(self, checkpoint_path: str) -> None:
        """Never called: a search goes on from its books."""
        raise NotImplementedError

    def __getstate__(self) -> dict[str, Any]:
        """Tune pickles its settings to restore them; we never restore."""
        return {}


class StudyScheduler(FIFOScheduler):  # type: ignore[misc]
    """First come, first served; stops a trial when the study says so.

    A trial is stopped at its last epoch too, before the step that would read the test split.
    """

    def __init__(self, study: Study) -> None:
        super().__init__()
        self._study = study

    def on_trial_result(self, controller: Any, trial: Any, result: dict[str, Any]) -> str:
        """Tell the study of an epoch."""
        ended = self._study.report(
            trial.config["trial"]["number"],
            epoch=result["epoch"],
            score=result["metrics/r1_sum"],
        )
        decision: str = TrialScheduler.STOP if ended else TrialScheduler.CONTINUE
        return decision

    def on_trial_error(self, controller: Any, trial: Any) -> None:
        """What would come again ends the trial; what may pass is left to the next round."""
        failure = failure_of(trial)
        if is_lasting(failure.kind):
            self._study.end(trial.config["trial"]["number"], FAIL, reason=failure.text)

    def __getstate__(self) -> dict[str, Any]:
        return {}
