"""A training loop for models of one's own: checkpoints, the best epoch, the same after a kill."""

import time
from collections.abc import Callable, Generator, Mapping
from dataclasses import asdict

import torch
from torch import nn

from data_shards import draws
from data_shards.errors import DataError
from trainables.checkpoints import Checkpoints
from trainables.metrics import Retrieval
from trainables.settings import Settings
from trainables.training import Outcome, Report


def run_epochs(
    settings: Settings,
    *,
    model: nn.Module,
    optimiser: torch.optim.Optimizer,
    train_epoch: Callable[[int], tuple[float, int]],
    measure_split: Callable[[str], Retrieval],
    checkpoints: str,
    dropped: Mapping[str, int] | None = None,
) -> Generator[Report, None, Outcome]:
    """Train epoch by epoch from the newest checkpoint on, and measure the best on the test split.

    torch's random numbers are drawn for (seed, epoch) before each epoch, so that a trial continued
    is the same as one that was never stopped.

    Args:
        train_epoch: takes the epoch, from 1; trains; gives the mean loss and the number of pairs.
        measure_split: takes a split's name; gives `measure` of the model as it is.
    """
    loop = _Loop(settings, model, optimiser, Checkpoints(checkpoints))
    yield from loop.resume()
    while len(loop.reports) < settings.epochs:
        yield loop.next_epoch(train_epoch, measure_split)
    return loop.finish(measure_split, dict(dropped or {}))


class _Loop:
    def __init__(
        self,
        settings: Settings,
        model: nn.Module,
        optimiser: torch.optim.Optimizer,
        checkpoints: Checkpoints,
    ) -> None:
        self._settings, self._model, self._optimiser = settings, model, optimiser
        self._checkpoints = checkpoints
        self._best_epoch = 0
        self.reports: list[Report] = []

    def resume(self) -> list[Report]:
        state = self._checkpoints.resume()
        if state is None:
            return []
        self._model.load_state_dict(state["model"])
        self._optimiser.load_state_dict(state["optimisers"])
        self._best_epoch = state["best_epoch"]
        self.reports = [Report(**report) for report in state["reports"]]
        return list(self.reports)

    def next_epoch(
        self,
        train_epoch: Callable[[int], tuple[float, int]],
        measure_split: Callable[[str], Retrieval],
    ) -> Report:
        epoch, start = len(self.reports) + 1, time.perf_counter()
        torch.manual_seed(draws.key(self._settings.seed, "own epoch", epoch))
        loss, pairs = train_epoch(epoch)
        trained = time.perf_counter()
        chosen_on = self._settings.selection
        report = Report(
            epoch=epoch,
            loss=loss,
            learning_rate=float(self._optimiser.param_groups[0]["lr"]),
            metrics={} if chosen_on == "last" else measure_split(chosen_on).metrics,
            seconds=time.perf_counter() - start,
            pairs_per_second=pairs / (trained - start),
        )
        self.reports.append(report)
        self._checkpoint(self._is_best())
        return report

    def _is_best(self) -> bool:
        if not self._best_epoch or self._settings.selection == "last":
            return True
        best = self.reports[self._best_epoch - 1].metrics["r1_sum"]
        return self.reports[-1].metrics["r1_sum"] > best

    def _checkpoint(self, best: bool) -> None:
        state = self._model.state_dict()
        weights = {name: value.detach().to("cpu", copy=True) for name, value in state.items()}
        if best:
            self._best_epoch = len(self.reports)
        kept = {
            "model": weights,
            "optimisers": self._optimiser.state_dict(),
            "rng": torch.get_rng_state(),
            "reports": [asdict(report) for report in self.reports],
        }
        self._checkpoints.save(
            kept,
            epoch=len(self.reports),
            best_epoch=self._best_epoch,
            best=weights if best else None,
        )

    def finish(self, measure_split: Callable[[str], Retrieval], dropped: dict[str, int]) -> Outcome:
        best = self._checkpoints.best(self._best_epoch)
        if best is None:
            raise DataError("a trial's best checkpoint must stay until its record is written, but "
                            "is gone: run the same command again.")  # fmt: skip
        self._model.load_state_dict(best["model"])
        found = measure_split("test")
        return Outcome(
            epoch=self._best_epoch,
            selection=self.reports[self._best_epoch - 1].metrics.get("r1_sum"),
            test=found.metrics,
            queries=found.queries,
            dropped=dropped,
            parameters={"trained": sum(p.numel() for p in self._model.parameters())},
        )
