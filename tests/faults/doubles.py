"""Faults that a trial raises by itself, put into the processes of a real sweep from outside.

A folder on PYTHONPATH holds this file as `sitecustomize.py`, which Python runs at its start; the
file named by FAULT says what happens: nothing where it is not there. A test may also hold trials
under way until it has seen what it waits for.
"""

import importlib.abc
import importlib.util
import os
import shutil
import sys
import time
from pathlib import Path

SECOND_BATCH = 2
HOLD = "hold"
"""Trials that have reported an epoch wait."""


class Doubles:
    """Put into all processes that have the environment."""

    def __init__(self, folder):
        shutil.copy(__file__, folder / "sitecustomize.py")
        self._fault = folder / "fault"
        self.environment = {"FAULT": str(self._fault), "PYTHONPATH": str(folder)}

    def cause(self, fault):
        """From now on; "" for nothing."""
        self._fault.write_text(fault)


def _fault():
    path = Path(os.environ.get("FAULT", "/nowhere"))
    return path.read_text() if path.exists() else ""


def _share():
    import ray

    return ray.get_runtime_context().get_assigned_resources().get("GPU", 0.0)


def _patch(training):
    """The allocator, the loss and our own code, as far as a test can replace them."""
    import torch

    whole = training._Run._step

    def step(self, batch, generator):
        fault, epoch = _fault(), self.epoch + 1
        self.batches = getattr(self, "batches", 0) + 1 if epoch == 3 else 0
        while epoch > 1 and _fault() == HOLD:
            time.sleep(0.1)
        if fault == "cuda" and _share() < 1:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")
        if self.experiment.flat()["loss"] == "triplet" and self.batches == SECOND_BATCH:
            if fault == "nan":
                whole(self, batch, generator)
                return float("nan")
            if fault == "bug":
                raise KeyError("a bug")
        return whole(self, batch, generator)

    training._Run._step = step


class _Finder(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name != "trainables.training":
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(name)
        execute = spec.loader.exec_module

        def exec_module(module):
            execute(module)
            _patch(module)

        spec.loader.exec_module = exec_module
        return spec


if "FAULT" in os.environ:
    sys.meta_path.insert(0, _Finder())
