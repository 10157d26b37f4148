"""The benchmarks run, one by one, each in a process of its own."""

import importlib
import inspect
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.__main__ import ALL

ROOT = Path(__file__).parents[2]


def _run(*arguments):
    command = [sys.executable, "-m", "benchmarks", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)


def test_one_benchmark_prints_its_table():
    done = _run("start")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("## start (")
    assert "| `python -m orchestrator --help` | an empty Python takes" in done.stdout


def test_an_unknown_name_is_a_usage_error():
    done = _run("strat")
    assert done.returncode == 2
    assert "NAME must be one of" in done.stderr
    assert "'strat'" in done.stderr


@pytest.mark.parametrize("name", ALL)
def test_every_benchmark_follows_the_protocol(name):
    module = importlib.import_module(f"benchmarks.{name}")
    assert module.__doc__
    assert inspect.isgeneratorfunction(module.measure)
