"""`python -m benchmarks` runs all benchmarks and writes RESULTS.md; with names, only those.

A benchmark is a module with `measure() -> Iterator[Figure]`. Each runs in a process of its own, so
that none inherits another's memory, threads or caches.
"""

import argparse
import dataclasses
import importlib
import json
import os
import platform
import subprocess
import sys
import time
from importlib.metadata import version
from pathlib import Path

from benchmarks.figures import HEADER, Figure

ALL = (
    "start",
    "evaluation",
    "speech",
    "loader",
    "image_side",
    "overhead",
    "tracking",
    "outage",
    "growth",
    "gamma",
    "demo",
    "intervals",
)
RESULTS = Path(__file__).parent / "RESULTS.md"
PACKAGES = ("torch", "torchvision", "torchaudio", "ray", "optuna", "mlflow", "webdataset")


def main() -> None:
    """Run what is asked for; without names, everything, into RESULTS.md."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(ALL)}")
    parser.add_argument("--json", action="store_true", help="one JSON line a figure")
    options = parser.parse_args()
    if unknown := set(options.names) - set(ALL):
        parser.error(f"NAME must be one of {', '.join(ALL)}, but got {sorted(unknown)[0]!r}.")
    if options.json:
        _as_json(options.names)
        return
    sections = []
    for name in options.names or ALL:
        sections.append(_section(name))
        if not options.names:  # so far: a later one may be stopped
            RESULTS.write_text("\n".join([_head(), *sections]))


def _as_json(names: list[str]) -> None:
    for name in names:
        for figure in importlib.import_module(f"benchmarks.{name}").measure():
            print(json.dumps(dataclasses.asdict(figure)), flush=True)


def _section(name: str) -> str:
    """One benchmark's table, printed as it is known."""
    start = time.perf_counter()
    command = [sys.executable, "-m", "benchmarks", "--json", name]
    found = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    lines = [line for line in found.splitlines() if line.startswith("{")]
    rows = [Figure(**json.loads(line)).row() for line in lines]
    taken = f"{time.perf_counter() - start:.0f} s"
    section = "\n".join([f"## {name} ({taken})\n", HEADER, *rows, ""])
    print(section, flush=True)
    return section


def _head() -> str:
    packages = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    return (
        "# Measured\n\n"
        "Written by `make bench`. Ratios are of two things measured in one run: medians of turns, "
        "but for whole sweeps (overhead, tracking, gamma, demo), which run once each. Absolute "
        "times hold for this machine alone. What the benchmarks do stands at the top of each "
        "`benchmarks/<name>.py`.\n\n"
        f"Machine: {_processor()}, {os.cpu_count()} cores, no GPU is needed. "
        f"Python {platform.python_version()}, {packages}.\n"
    )


def _processor() -> str:
    about = Path("/proc/cpuinfo")
    lines = about.read_text().splitlines() if about.exists() else []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()


if __name__ == "__main__":
    main()
