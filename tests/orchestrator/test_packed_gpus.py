"""`--gpus-per-trial auto` on a virtual GPU: the trials run on the CPU, the reading is made up."""

import json
import os
import subprocess
import sys

import pytest

from tests import made

pytestmark = pytest.mark.slow

_SCRIPT = """
import json, sys
from orchestrator.ray_environment import set_environment
set_environment()
import ray
from data_shards import manifest
from orchestrator.planning import ask
from orchestrator.resources import Resources
from orchestrator.runner import Runner
from orchestrator.storage import Storage
from search_spaces.sweep import load
from trainables.presets import PRESETS

OUT = sys.argv[1] == "out-of-memory"

def replace_the_reading():
    import torch
    from orchestrator import trainable

    def reading(device):
        share = ray.get_runtime_context().get_assigned_resources()["GPU"]
        if OUT and share < 1:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")
        return {"peak": 3 * 2**30, "total": 16 * 2**30}

    trainable.read_memory = reading

class Watcher:
    def __init__(self):
        self.events = []
    def planned(self, trials, undecided): pass
    def started(self, trial_id): self.events.append("start")
    def reported(self, trial_id, report): pass
    def ended(self, trial_id, failure): self.events.append(failure or "end")

def run(seeds):
    question = ask(load("loss"), preset=PRESETS["demo"], settings=tiny, seeds=seeds, data=data)
    storage.write_plan(question.to_dict())
    watcher = Watcher()
    Runner(question, data, storage, resources, max_failures=0, watchers=[watcher]).run()
    return watcher.events

ray.init(address="local", num_cpus=2, num_gpus=1, include_dashboard=False, log_to_driver=False,
         runtime_env={"worker_process_setup_hook": replace_the_reading})
data, storage = manifest.load("tones"), Storage("runs")
tiny = dict(image_size="64", batch_size="16", embedding="16", epochs="3")
resources = Resources(cpus_per_trial=0.25, gpus_per_trial="auto")
print(json.dumps([run(2), run(3)]))
"""
OUT_OF_MEMORY = "OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB."


def _run(folder, case):
    """The events of a sweep of four trials, and of the same with two more."""
    made.make(folder / "tones")
    done = subprocess.run(
        [sys.executable, "-c", _SCRIPT, case], cwd=folder, capture_output=True, text=True,
        timeout=300,
        env=os.environ | {"OMP_NUM_THREADS": "1", "VFSEL_CACHE": str(folder / "cache")},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_one_trial_is_measured_alone_then_as_many_run_as_fit(tmp_path):
    first, again = _run(tmp_path, "fits")
    assert first == ["start", "end", *["start"] * 3, *["end"] * 3]
    assert again == ["start", "start", "end", "end"]  # the records know the reading


def test_trials_that_run_out_of_memory_get_larger_shares(tmp_path):
    first, _ = _run(tmp_path, "out-of-memory")
    assert first[:2] == ["start", "end"]
    assert first.count(OUT_OF_MEMORY) == 6  # three of a third, three of a half
    assert first[-6:] == ["start", "end"] * 3
