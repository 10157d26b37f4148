"""What trials die of by themselves: no memory, NaN, a bug. Each stops its own trial only."""

import json

import pytest

from orchestrator.storage import Storage
from tests import made
from tests.faults.conftest import SWEEP, records
from tests.faults.doubles import Doubles
from tests.orchestrator.command import run
from tests.ray_head import ray_head

pytestmark = pytest.mark.slow

TRIPLET = "loss=triplet seed=0"


@pytest.fixture(scope="module")
def head(tmp_path_factory):
    """A Ray head with one virtual GPU, in whose trials its `cause` has an effect."""
    doubles = Doubles(tmp_path_factory.mktemp("site"))
    with ray_head(num_cpus=4, num_gpus=1, environment=doubles.environment) as it:
        it.cause = doubles.cause
        yield it


@pytest.fixture
def sweep(head, folder, monkeypatch):
    """Runs the sweep on the head's GPU, a half a trial, with a fault."""
    for name, value in {"RAY_ADDRESS": head.address, **head.client()}.items():
        monkeypatch.setenv(name, value)

    def sweep(fault):
        head.cause(fault)
        return run(*SWEEP, "--gpus-per-trial", "0.5", folder=folder)

    return sweep


def test_cuda_out_of_memory_is_tried_again_with_larger_shares(sweep, folder, undisturbed):
    done = sweep("cuda")
    assert done.returncode == 0, done.stderr
    assert f"{TRIPLET}: again, with 1 of a GPU" in done.stderr
    assert done.stderr.count("CUDA out of memory") == 2  # one share, two trials
    assert records(folder / "runs") == undisturbed  # the batch is the same
    assert not Storage(str(folder / "runs")).failure_ids()


@pytest.mark.parametrize(
    ("fault", "said", "kind"),
    [
        ("nan", "the loss must be finite, but is nan at epoch 3, batch 2", "not finite"),
        ("bug", "KeyError: 'a bug'", "error"),
    ],
)
def test_what_would_come_again_fails_once_and_the_others_go_on(
    sweep, folder, undisturbed, fault, said, kind
):
    done = sweep(fault)
    assert done.returncode == 1
    assert done.stderr.count(f"{TRIPLET}: failed") == 1
    (explained,) = [line for line in done.stderr.splitlines() if line.startswith("failed: ")]
    assert said in explained
    assert "Traceback" not in done.stderr + done.stdout
    (other,) = records(folder / "runs").items()
    assert other in undisturbed.items()
    (failure,) = Storage(str(folder / "runs")).failures(undisturbed).values()
    assert failure["kind"] == kind
    status = run("status", "loss", "--json", folder=folder)
    assert json.loads(status.stdout)["plans"][0]["failed"] == 1
    if fault == "bug":  # mended
        assert sweep("").returncode == 0
        assert records(folder / "runs") == undisturbed
        assert not Storage(str(folder / "runs")).failure_ids()


def test_stopped_by_rays_memory_monitor_it_is_tried_with_more_room(
    tmp_path, undisturbed, monkeypatch
):
    made.make(tmp_path / "tones", per_class=20)
    with monkeypatch.context() as scarce:
        scarce.setenv("RAY_memory_usage_threshold", "0.01")  # any use is too much
        scarce.setenv("RAY_memory_monitor_refresh_ms", "200")
        done = run(*SWEEP, folder=tmp_path)
    assert done.returncode == 1
    assert "low on memory" in done.stderr
    assert f"{TRIPLET}: again, with 2 CPUs reserved" in done.stderr
    assert "Traceback" not in done.stderr + done.stdout
    assert {f["kind"] for f in Storage(str(tmp_path / "runs")).failures(undisturbed).values()} == {
        "out of memory"
    }
