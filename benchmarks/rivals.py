"""Runs our sweep and the hand-written one as whole processes, and reads what they print."""

import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from data_shards.manifest import Data

FULL = bool(os.environ.get("VFSEL_BENCH_FULL"))
CONCURRENT = 2  # trials at once, of either


@dataclass(frozen=True)
class Sweep:
    """What a process printed."""

    seconds: float
    """The whole process: imports, Ray, trials, tracking."""
    trials: list[dict[str, Any]]
    training: float = 0.0
    """From the start of the first trial to the last record; ours alone says."""

    def r1_sum(self, gammas: list[float]) -> float:
        """Mean over some trials of R@1 in both directions, percent."""
        found = [t["s2i_r1"] + t["i2s_r1"] for t in self.trials if t["gamma"] in gammas]
        return statistics.fmean(found)

    def extrapolated(self, count: int) -> float:
        """Seconds of so many trials: further waves take as long as the longest trial here."""
        waves = -(-count // CONCURRENT) - -(-len(self.trials) // CONCURRENT)
        return self.seconds + waves * max(trial["time_total_s"] for trial in self.trials)


def run(
    module: str,
    data: Data,
    cache: Path,
    *options: object,
    environment: Mapping[str, str] = MappingProxyType({}),
) -> Sweep:
    """One sweep in a folder of its own. Each trial has a CPU, and as many threads."""
    with tempfile.TemporaryDirectory() as out:
        command = [sys.executable, "-m", f"benchmarks.{module}", "--data", data.folder]
        done = subprocess.run(
            [*command, "--out", out, *map(str, options)], check=True, stdout=subprocess.PIPE,
            text=True, env=os.environ | {"VFSEL_CACHE": str(cache), **environment},
        )  # fmt: skip
    (line,) = [line for line in done.stdout.splitlines() if line.startswith('{"seconds"')]
    return Sweep(**json.loads(line))
