"""TPE with early stopping against random search, at equal epochs spent, on the built-in data.

    python benchmarks/search.py --out /tmp/search --seeds 5 --trials 30

For each seed the search with TPE and ASHA runs first; random search without early stopping then
gets as many full trials as the epochs that it spent allow (rounded up, in its favour). Both use
the real command. Prints the best selection metric of both a seed, the medians, and what ASHA saved.
"""

import argparse
import json
import math
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Any

EPOCHS = 10


def main() -> None:
    """Run both searches at every seed, one after the other, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True, help="Folder of results, kept.")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--trials", type=int, default=30)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    rows = [_compare(options.out, seed, options.trials) for seed in range(options.seeds)]
    print("| seed | TPE + ASHA | epochs | random | epochs | full trials |")
    print("|---|---|---|---|---|---|")
    for seed, (adaptive, at_random) in enumerate(rows):
        print(
            f"| {seed} | {_best(adaptive):.1f} | {adaptive['epochs_spent']} | "
            f"{_best(at_random):.1f} | {at_random['epochs_spent']} | "
            f"{sum(at_random['trials'].values())} |"
        )
    medians = [statistics.median(map(_best, column)) for column in zip(*rows, strict=True)]
    spent = sum(adaptive["epochs_spent"] for adaptive, _ in rows)
    full = sum(adaptive["epochs_full"] for adaptive, _ in rows)
    print(f"median best: TPE + ASHA {medians[0]:.1f}, random {medians[1]:.1f}")
    print(f"ASHA: {spent} epochs spent of {full} ({spent / full:.0%})")


def _compare(out: Path, seed: int, trials: int) -> tuple[dict[str, Any], dict[str, Any]]:
    adaptive = _search(out, seed, trials, "--sampler", "tpe", "--pruner", "asha")
    as_many = math.ceil(adaptive["epochs_spent"] / EPOCHS)
    return adaptive, _search(out, seed, as_many, "--sampler", "random", "--pruner", "none")


def _search(out: Path, seed: int, trials: int, *how: str) -> dict[str, Any]:
    done = subprocess.run(
        [
            sys.executable, "-m", "orchestrator", "sweep", "tune", "--json",
            "--trials", str(trials), "--seed", str(seed), "--set", f"epochs={EPOCHS}", *how,
        ],
        cwd=out, stdout=subprocess.PIPE, check=True, text=True,
    )  # fmt: skip
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def _best(found: dict[str, Any]) -> float:
    return float(found["best"]["selection"])


if __name__ == "__main__":
    main()
