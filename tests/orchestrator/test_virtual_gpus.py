"""Fractions of GPUs: Ray schedules virtual ones here, the trials run on the CPU."""

import json
import os
import subprocess
import sys

import pytest

from tests import made

pytestmark = pytest.mark.slow

_SCRIPT = """
import json
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

class Watcher:
    def __init__(self):
        self.events = []
    def planned(self, trials, undecided): pass
    def started(self, trial_id): self.events.append("start")
    def reported(self, trial_id, report): pass
    def ended(self, trial_id, failure): self.events.append(failure or "end")

ray.init(address="local", num_cpus=2, num_gpus=1, include_dashboard=False, log_to_driver=False)
data = manifest.load("tones")
tiny = dict(image_size="64", batch_size="16", embedding="16", epochs="3")
question = ask(load("loss"), preset=PRESETS["demo"], settings=tiny, seeds=1, data=data)

def run(share):
    resources = Resources(cpus_per_trial=0.5, gpus_per_trial=share)
    storage, watcher = Storage(f"runs-{share}"), Watcher()
    storage.write_plan(question.to_dict())
    Runner(question, data, storage, resources, watchers=[watcher]).run()
    places = [storage.record(trial_id)["environment"] for trial_id in storage.record_ids()]
    return [watcher.events, [[at["device"], at["visible_gpus"]] for at in places]]

print(json.dumps([run(0.5), run(1.0)]))
"""


def test_as_many_trials_at_once_as_fit_on_the_gpu(tmp_path):
    made.make(tmp_path / "tones")
    own = {"OMP_NUM_THREADS": "1", "VFSEL_CACHE": str(tmp_path / "cache")}
    done = subprocess.run(
        [sys.executable, "-c", _SCRIPT], cwd=tmp_path, capture_output=True, text=True,
        timeout=300, env=os.environ | own,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    places = [["cpu", "0"]] * 2
    assert json.loads(done.stdout.splitlines()[-1]) == [
        [["start", "start", "end", "end"], places],
        [["start", "end", "start", "end"], places],
    ]
    assert done.stderr.count("had a share of a GPU, but PyTorch found none") == 2  # once a run
