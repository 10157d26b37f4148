"""Shares of a GPU from readings of memory, by hand."""

import pytest

from data_shards.errors import DataError
from orchestrator.gpu_packing import CONTEXT, Packer, Reading, next_share, read_memory, share
from orchestrator.storage import Storage

GIB = 2**30


@pytest.mark.parametrize(
    ("peaks", "total", "expected"),
    [
        ([5.0], 16, 0.5),  # 5 GiB × 1.2 + 0.625 = 6.6 of 16: twice
        ([2.0], 16, 0.2),  # 3.025: five times
        ([2.0, 5.0, 1.0], 16, 0.5),  # the largest counts
        ([0.0], 16, 0.04),  # the context alone: 25 times
        ([3.0], 16, 0.3333),  # 4.225: three times, rounded down
        ([14.0], 16, 1.0),  # with its margin it would not even fit once
    ],
)
def test_the_largest_share_that_fits_as_often_as_it_says(peaks, total, expected):
    readings = [Reading(int(peak * GIB), total * GIB) for peak in peaks]
    assert share(readings) == expected


def test_shares_of_one_gpu_never_add_up_to_more_than_it():
    for count in range(1, 60):
        need = Reading(int((16 * GIB / count - CONTEXT) / 1.2) - 1024, 16 * GIB)
        assert need.peak < 0 or 0.99 < count * share([need]) <= 1


def _record(storage: Storage, trial_id: str, memory: dict[str, int]) -> None:
    record = {
        "trial_id": trial_id, "environment": {"gpu_memory": memory}, "selection": {"value": 1.0}
    }  # fmt: skip
    storage.write_record(record, {})


def test_one_trial_alone_until_there_is_a_reading_then_all(tmp_path):
    storage = Storage(str(tmp_path))
    assert Packer(storage).shares(["a", "b", "c"], []) == {"a": 1.0}
    _record(storage, "x", {})  # of a CPU
    assert Packer(storage).shares(["a", "b", "c"], ["x"]) == {"a": 1.0}
    _record(storage, "a", {"peak": 5 * GIB, "total": 16 * GIB})
    assert Packer(storage).shares(["b", "c"], ["x", "a"]) == {"b": 0.5, "c": 0.5}
    assert Packer(storage).shares([], ["x", "a"]) == {}


def test_a_gpu_that_pytorch_does_not_see_is_said_after_one_trial(tmp_path):
    storage = Storage(str(tmp_path))
    packer = Packer(storage)
    assert packer.shares(["a", "b"], []) == {"a": 1.0}
    assert packer.shares(["a", "b"], []) == {"a": 1.0}  # it failed
    _record(storage, "a", {})
    with pytest.raises(DataError, match="must read the memory of a GPU, but .* where trial a ran"):
        packer.shares(["b"], ["a"])


def test_the_next_larger_share():
    shares = [0.2]
    while shares[-1] < 1:
        shares.append(next_share(shares[-1]))
    assert shares == [0.2, 0.25, 0.3333, 0.5, 1.0]
    assert next_share(0.7) == 1.0


def test_a_cpu_has_no_reading():
    assert read_memory("cpu") == {}


@pytest.mark.gpu
def test_a_gpu_has_one():
    torch = pytest.importorskip("torch")
    if not torch.cuda.is_available():
        pytest.skip("needs a CUDA device")
    kept = torch.zeros(2**26, device="cuda")
    reading = Reading(**read_memory("cuda"))
    assert kept.nbytes <= reading.peak < reading.total
