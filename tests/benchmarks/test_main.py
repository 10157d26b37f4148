"""How benchmarks are run; what they measure, `make bench` shows. The peer is set up as ours."""

import importlib
import inspect
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks import vanilla_sweep
from benchmarks.__main__ import ALL
from trainables.presets import PRESETS

ROOT = Path(__file__).parents[2]


def _run(*arguments):
    command = [sys.executable, "-m", "benchmarks", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)


@pytest.mark.slow
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


def test_the_hand_written_sweep_trains_as_the_preset_demo_does():
    demo = PRESETS["demo"]
    assert demo.image_size == vanilla_sweep.SIZE
    assert (demo.mels, demo.embedding) == (vanilla_sweep.MELS, vanilla_sweep.EMBEDDING)
    assert demo.speech_attention_hidden == vanilla_sweep.HIDDEN
    assert demo.batch_size == vanilla_sweep.BATCH
    optimiser = (vanilla_sweep.LEARNING_RATE, vanilla_sweep.WEIGHT_DECAY)
    assert optimiser == (demo.learning_rate, demo.weight_decay)
