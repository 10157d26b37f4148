"""`--budget`: what a plan may cost, and which of its trials that buys."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from data_shards.errors import UsageError
from orchestrator.costs import Costs, Price, together
from search_spaces.designs import Design, Plan, Trial
from search_spaces.search import Search

_UNITS = {"m": 60.0, "h": 3600.0, "d": 86400.0}


@dataclass(frozen=True)
class Budget:
    """Seconds that trials may take together, as it was asked for and in numbers."""

    asked: str
    seconds: float
    at_once: int
    """Trials side by side; 1 adds them up, as GPU-hours are."""
    costs: Costs
    recorded: frozenset[str]
    """Trials that had a record when it was given: they cost nothing."""

    def trim(self, plan: Plan, design: Design | Search) -> Plan:
        """The plan up to the first trial that the budget does not reach, in the design's own order
        of priority; trials stay in the order of the plan.

        With a trial left out, what is undecided is left out too: nothing more will be decided.
        """
        assert isinstance(design, Design)  # a search has no plan
        bought: list[Price] = []
        left_out: list[Trial] = []
        for trial in design.priority(plan.trials):
            if trial.id in self.recorded:
                continue
            bought.append(self.costs.price(trial.experiment))
            if left_out or together(bought, at_once=self.at_once) > self.seconds:
                left_out.append(trial)
        out = {trial.id for trial in left_out}
        kept = [trial for trial in plan.trials if trial.id not in out]
        return Plan(kept, "" if left_out else plan.undecided, left_out)


def limit(asked: str, *, gpus: float) -> tuple[float, bool]:
    """Seconds of a budget, and whether they are of GPU trials added up, not of the clock.

    Args:
        asked: `10gpuh`, or `90m`, `2h`, `1d` on the clock.
        gpus: of a trial.

    Raises:
        UsageError: it is neither, not above 0, or in GPU-hours where trials have no GPU.
    """
    found = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?)(gpuh|[mhd])", asked)
    if not found or not float(found[1]):
        raise UsageError(
            f"--budget must be > 0, in GPU-hours or on the clock, such as 10gpuh, 90m, 2h or 1d, "
            f"but got {asked!r}."
        )
    if found[2] != "gpuh":
        return float(found[1]) * _UNITS[found[2]], False
    if not gpus:
        raise UsageError(
            f"--budget {asked} needs trials on GPUs, but --gpus-per-trial is 0: give it, or a "
            "budget on the clock such as 2h."
        )
    return float(found[1]) * 3600 / gpus, True


def check_budget(asked: str, *, gpus: float, data_sets: int) -> None:
    """Before a probe takes its time.

    Raises:
        UsageError: it is none, or there are several data sets.
    """
    limit(asked, gpus=gpus)
    if data_sets > 1:
        raise UsageError(f"--budget is for one data set, but got {data_sets}: ask of each alone.")


def left_out_line(names: Sequence[str]) -> str:
    """For people: what a budget did not reach."""
    return f"left out by the budget: {len(names)} trials: {', '.join(names)}"
