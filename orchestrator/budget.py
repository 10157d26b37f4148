"""`--budget`: what a plan may cost, and which of its trials that buys."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from data_shards.errors import UsageError
from search_spaces.designs import Design, Plan
from search_spaces.search import Search
from trainables.experiment import Experiment

_UNITS = {"m": 60.0, "h": 3600.0, "d": 86400.0}


@dataclass(frozen=True)
class Budget:
    """Seconds that trials without a record may take together.

    `seconds_of` tells it of several trials; a wall-clock budget counts those that run at once,
    a GPU budget adds them up. `recorded` are the trials that cost nothing: had when it was given.
    """

    asked: str
    seconds: float
    seconds_of: Callable[[Sequence[Experiment]], float]
    recorded: frozenset[str]

    def trim(self, plan: Plan, design: Design | Search) -> Plan:
        """The plan up to the first trial that the budget does not reach, in the design's own order
        of priority; trials stay in the order of the plan.

        With a trial left out, what is undecided is left out too: nothing more will be decided.
        """
        assert isinstance(design, Design)  # a search has no plan
        bought: list[Experiment] = []
        left_out = []
        for trial in design.priority(plan.trials):
            if trial.id in self.recorded:
                continue
            if left_out or self.seconds_of([*bought, trial.experiment]) > self.seconds:
                left_out.append(trial)
            else:
                bought.append(trial.experiment)
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
