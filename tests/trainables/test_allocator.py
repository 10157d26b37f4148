"""Freed memory is reused: counted in pages that the kernel has to clear."""

import ctypes
import subprocess
import sys

import pytest

_COUNT = """
import resource, sys
import torch
from trainables.allocator import keep_freed_memory

if sys.argv[1] == "kept":
    keep_freed_memory()
for _ in range(10):  # until the heap has settled
    torch.ones(20_000_000)
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(5):
    torch.ones(20_000_000)
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "mallopt"), reason="not glibc")
def test_blocks_that_come_again_fault_no_page_in_again():
    faults = {}
    for how in ("default", "kept"):
        command = [sys.executable, "-c", _COUNT, how]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        faults[how] = int(done.stdout)
    assert faults["default"] >= 5 * 38  # 80 MB each time, in pages of at most 2 MB
    assert faults["kept"] < 38
