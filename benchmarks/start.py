"""How long the commands that train nothing keep a user waiting."""

import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.figures import Figure, seconds
from tests import made

ROUNDS = 7


def measure() -> Iterator[Figure]:
    """Medians of whole processes."""
    with tempfile.TemporaryDirectory() as folder:
        made.make(Path(folder) / "tones")
        plan = ["plan", "gamma", "--data", "tones", "--set", "batch_size=16"]
        bare = _median([sys.executable, "-c", "pass"], folder)
        for name, arguments, goal in (("--help", ["--help"], 0.4), ("plan gamma", plan, 1.5)):
            command = [sys.executable, "-m", "orchestrator", *arguments]
            yield Figure(
                what=f"`python -m orchestrator {name}`", value=_median(command, folder),
                unit="s", at_most=goal, note=f"an empty Python takes {bare:.2f} s",
            )  # fmt: skip


def _median(command: list[str], folder: str) -> float:
    def run() -> None:
        subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL)

    run()
    return statistics.median(seconds(run) for _ in range(ROUNDS))
