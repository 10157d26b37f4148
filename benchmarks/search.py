"""TPE with early stopping against random search, at equal epochs spent, on the built-in data.

    python benchmarks/search.py --out /tmp/search --seeds 5 --trials 30

For each seed three searches run, each with the real command:

1. TPE with ASHA;
2. random search without early stopping, with as many full trials as the epochs that the first
   spent allow (rounded up, in its favour);
3. the second's very points again, with ASHA: what it saves, and whether it keeps the best.

Prints a row a seed as it ends, then the medians and what ASHA saved.
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
    """Run the searches at every seed, one after the other, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True, help="Folder of results, kept.")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--trials", type=int, default=30)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    print("| seed | TPE + ASHA | epochs | random | epochs | random + ASHA | epochs |", flush=True)
    print("|---|---|---|---|---|---|---|", flush=True)
    rows = [_row(options.out, seed, options.trials) for seed in range(options.seeds)]
    medians = [statistics.median(map(_best, column)) for column in zip(*rows, strict=True)]
    print("median best: TPE + ASHA {:.1f}, random {:.1f}, random + ASHA {:.1f}".format(*medians))
    print(f"ASHA with TPE: {_saved([row[0] for row in rows])}")
    kept = [row for row in rows if _best(row[2]) >= _best(row[1])]
    print(f"ASHA with random: {_saved([row[2] for row in rows])}; best kept in {len(kept)} seeds")
    if kept:
        print(f"ASHA with random, where the best is equal: {_saved([row[2] for row in kept])}")


def _row(out: Path, seed: int, trials: int) -> list[dict[str, Any]]:
    adaptive = _search(out, seed, trials, "--sampler", "tpe", "--pruner", "asha")
    full = math.ceil(adaptive["epochs_spent"] / EPOCHS)
    row = [adaptive] + [
        _search(out, seed, full, "--sampler", "random", "--pruner", pruner)
        for pruner in ("none", "asha")
    ]
    cells = (f"{_best(found):.1f} | {_epochs(found)}" for found in row)
    print(f"| {seed} | {' | '.join(cells)} |", flush=True)
    return row


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


def _epochs(found: dict[str, Any]) -> str:
    return f"{found['epochs_spent']} of {found['epochs_full']}"


def _saved(searches: list[dict[str, Any]]) -> str:
    spent, full = (sum(found[key] for found in searches) for key in ("epochs_spent", "epochs_full"))
    return f"{spent} epochs spent of {full} ({1 - spent / full:.0%} saved)"


if __name__ == "__main__":
    main()
