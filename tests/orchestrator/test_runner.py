"""The books between rounds; the rounds themselves are Ray's (test_sweeping.py, tests/cluster)."""

import pytest

from orchestrator import runner
from orchestrator.failures import Failure, Kind
from orchestrator.planning import ask
from orchestrator.resources import Resources
from orchestrator.runner import Runner
from orchestrator.storage import Storage
from search_spaces.sweep import load
from tests import made
from trainables.presets import PRESETS

OUT_OF_MEMORY = Failure(Kind.GPU_MEMORY, "OutOfMemoryError: CUDA out of memory.")


@pytest.fixture
def rounds(tmp_path, monkeypatch):
    """Runs a sweep of one trial whose rounds all end in CUDA being out of memory; their shares."""
    for name in ("connect", "check_fits", "check_visible", "blame_lost_nodes"):
        monkeypatch.setattr(runner, name, lambda *_, **__: None)
    monkeypatch.setattr(runner, "alive", list)
    shares = []

    class Tuner:
        def __init__(self, runs, work):
            self.runs, self.work = runs, work

        def fit(self):
            assert len(shares) < 20, "it is tried for ever"
            for trial, had in self.work:
                shares.append(had.gpus)
                self.runs.failures[trial.id] = OUT_OF_MEMORY

    monkeypatch.setattr(Runner, "_tuner", lambda self, work, _: Tuner(self, work))

    def run(gpus):
        data = made.make(tmp_path / "tones")
        question = ask(
            load("baseline"), preset=PRESETS["demo"], settings={"batch_size": "16"}, seeds=1,
            data=data,
        )  # fmt: skip
        resources = Resources(gpus_per_trial=gpus)
        Runner(question, data, Storage(str(tmp_path / "runs")), resources).run()
        return shares

    return run


@pytest.mark.parametrize(
    ("gpus", "shares"),
    [(0.25, [0.25, 0.3333, 0.5, 1.0]), (0.5, [0.5, 1.0]), (1.0, [1.0]), (2.0, [2.0])],
)
def test_a_share_that_is_too_small_grows_up_to_a_whole_gpu(rounds, gpus, shares):
    assert rounds(gpus) == shares


def test_a_trial_that_does_not_fit_on_a_whole_gpu_fails(rounds):
    assert rounds("auto") == [1.0]
