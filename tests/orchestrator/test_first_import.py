"""The thread that tracks and the one that draws both begin with Matplotlib: neither gets a half."""

import subprocess
import sys
from pathlib import Path

import pytest

_SCRIPT = """
import importlib.abc, sys, threading, time
from orchestrator import curves
from orchestrator.pictures import of_sweep

failed = []

def track():
    try:
        curves.figure([{"epoch": 1, "loss": 1.0, "metrics": {}}], title="x")
    except Exception as error:
        failed.append(error)

tracks = threading.Thread(target=track)

class Finder(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if threading.current_thread() is tracks:
            time.sleep(0.01)  # the other one overtakes
        elif name == "captum.attr._core.llm_attr":  # whose first import is `matplotlib.colors`
            tracks.start()

sys.meta_path.insert(0, Finder())
try:
    of_sweep._draw("none", None, None)
except AttributeError as error:
    assert "'NoneType' object has no attribute" in str(error), error  # past the imports
tracks.join()
assert not failed, failed
"""


@pytest.mark.slow
def test_one_waits_for_the_other():
    done = subprocess.run(
        [sys.executable, "-c", _SCRIPT], cwd=Path(__file__).parents[2], capture_output=True,
        text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


def test_tracking_loads_nothing_heavy():
    """The command line starts fast: neither MLflow nor matplotlib is imported with the module."""
    code = (
        "import sys, orchestrator.tracking as t; print({'mlflow', 'matplotlib'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
