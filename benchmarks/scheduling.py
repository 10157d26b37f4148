"""What the orchestrator itself costs: `python -m benchmarks.scheduling`, for docs/scaling.md.

`trials`: sweeps of 100, 300 and 1,000 trials that train nothing, on three nodes (raylets of this
machine) with 64 virtual GPUs in all. Everything else is the product's: plan, Ray Tune with reused
actors, the trial's process, reports, per-query arrays and records written to a folder, the live
table's lines. A trial asks for 10 of the GPUs, so that six run at once: their processes hold
PyTorch and Ray, half a gigabyte each. (With `max_concurrent` below what fits, Tune starts processes
that trials this short never need.)

`plan`: a plan of 10,000 trials of which 9,000 are recorded, in a folder and on S3 (moto's server,
on loopback): the time to list, to plan and to answer.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from benchmarks.empty_trials import METRICS, RUNTIME, question, rss, run
from data_shards import files
from orchestrator.answers import answer
from orchestrator.planning import Question, missing
from orchestrator.resources import Resources
from orchestrator.storage import SCHEMA, Storage
from tests import s3
from tests.ray_head import ray_head

COUNTS = (100, 300, 1000)
PLANNED, RECORDED = 10_000, 9_000
SIX_AT_ONCE = Resources(cpus_per_trial=0.05, gpus_per_trial=10.0)


def main() -> None:
    """Run what is asked for and print it as Markdown."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=["trials", "plan", "driver"])
    options = parser.parse_args()
    if options.what == "driver":
        _drive()
    elif options.what == "trials":
        _trials()
    else:
        _plan()


def _trials() -> None:
    """A cluster, and one driver of it that runs the sweeps one after the other."""
    # Ray starts idle processes, half a gigabyte each, up to a node's number of CPUs.
    with ray_head(num_cpus=1, num_gpus=22) as head:
        for _ in range(2):
            head.add_node(num_cpus=1, num_gpus=21)
        with tempfile.TemporaryDirectory() as folder:
            subprocess.run(
                [sys.executable, "-m", "benchmarks.scheduling", "driver"],
                check=True, env=head.client() | {"RAY_ADDRESS": head.address, "HERE": folder},
            )  # fmt: skip


def _drive() -> None:
    from orchestrator.ray_environment import set_environment

    set_environment()
    import ray

    ray.init(log_to_driver=False, runtime_env=RUNTIME)
    print("| trials | s | ms a trial | driver RSS, MB |\n|---|---|---|---|", flush=True)
    for count in (8, *COUNTS):  # the first starts the processes
        seconds = run(Path(os.environ["HERE"]) / str(count), count, SIX_AT_ONCE)
        print(
            f"| {count} | {seconds:.1f} | {1000 * seconds / count:.0f} | {rss():.0f} |", flush=True
        )


def _plan() -> None:
    asked = question(PLANNED)
    print("| storage | step | s |\n|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        _time_plan("folder", asked, Storage(f"{folder}/runs"))
        server = s3.Server(Path(folder))
        try:
            with s3.leading_to(server.endpoint):
                _time_plan("S3", asked, Storage(f"s3://{server.make_bucket()}/runs"))
        finally:
            server.stop()


def _time_plan(name: str, asked: Question, storage: Storage) -> None:
    ids = [trial.id for trial in asked.plan(storage).trials]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda trial_id: _record(storage, trial_id), ids[:RECORDED]))
    steps: dict[str, Callable[[], Any]] = {
        "list the records": storage.record_ids,
        "plan": lambda: asked.plan(storage),
        "plan − records": lambda: missing(asked.plan(storage), storage),
        "answer (reads every record)": lambda: answer(asked, storage),
    }
    for step, call in steps.items():
        start = time.perf_counter()
        call()
        print(f"| {name} | {step} | {time.perf_counter() - start:.2f} |", flush=True)


def _record(storage: Storage, trial_id: str) -> None:
    """A record of the usual size; without fsync, which is not what is measured here."""
    about = {
        "schema": SCHEMA, "trial_id": trial_id, "selection": {"value": 24.6}, "test": METRICS,
        "dropped": {}, "reports": [{"epoch": n, "metrics": METRICS} for n in range(10)],
    }  # fmt: skip
    content = json.dumps(about).encode()
    url = files.join(storage.url, "records", f"{trial_id}.json")
    if files.is_remote(url):
        files.write_atomic(url, content)
        return
    Path(url).parent.mkdir(parents=True, exist_ok=True)
    Path(url).write_bytes(content)


if __name__ == "__main__":
    main()
