"""Packages, variables, disks, memory, data, weights and code, each with something wrong."""

import hashlib

import pytest

from orchestrator.doctor import data, disk, environment, memory, packages, shipped, weights
from orchestrator.doctor.check import Asked
from orchestrator.resources import Resources
from orchestrator.storage import Storage
from tests import made
from tests.small_disk import small_disk


def asked(folder, *, gpus=0.0, workers=0, **given):
    resources = Resources(gpus_per_trial=gpus, loader_workers=workers)
    storage = Storage(str(folder / "runs"))
    return Asked(storage=storage, tracking_uri="sqlite:///m.db", resources=resources, **given)


def test_another_version_than_pinned(tmp_path):
    pins = tmp_path / "constraints.txt"
    pins.write_text(f"click=={packages.installed('click')}\nnumpy==0.1\nnot-there==1\n")
    (check,) = packages.pins(pins)
    assert check.level == "warning"
    assert check.text == f"numpy {packages.installed('numpy')} (tested: 0.1)"


@pytest.mark.parametrize(
    ("name", "value", "gpus", "level"),
    [
        ("WORLD_SIZE", "2", 0, "warning"), ("WDS_SECURE", "1", 0, "warning"),
        ("OMP_NUM_THREADS", "many", 0, "error"), ("OMP_NUM_THREADS", "999", 0, "warning"),
        ("CUDA_VISIBLE_DEVICES", "", 1, "error"), ("CUDA_VISIBLE_DEVICES", "", 0, "ok"),
        ("CUDA_VISIBLE_DEVICES", "0,0", 1, "warning"), ("VFSEL_CACHE_GB", "lots", 0, "error"),
        ("MLFLOW_TRACKING_URI", "http://elsewhere", 0, "warning"),
    ],
)  # fmt: skip
def test_variables(name, value, gpus, level, tmp_path, monkeypatch):
    monkeypatch.setenv(name, value)
    (check,) = environment.checks(asked(tmp_path, gpus=gpus))
    assert check.level == level
    assert level == "ok" or name in check.text


def test_a_small_disk(tmp_path):
    with small_disk(tmp_path / "disk", kilobytes=1000) as small:
        (low,) = disk.room("disk", small / "not" / "yet")
    with small_disk(tmp_path / "larger", kilobytes=500_000) as small:
        (tight,) = disk.room("disk", small)
    assert (low.level, tight.level) == ("error", "warning")


def test_shared_memory_of_a_container(tmp_path):
    with small_disk(tmp_path / "shm", kilobytes=64_000) as shm:
        assert disk.shared(shm, loader_workers=0).level == "warning"
        assert disk.shared(shm, loader_workers=2).level == "error"


def test_memory_within_a_containers_limit(tmp_path):
    group = {
        "memory.max": 4 * 10**9,
        "memory.current": 39 * 10**8,
        "memory.stat": "inactive_file 0",
    }
    for name, value in group.items():
        (tmp_path / name).write_text(f"{value}\n")
    machine = (64 * 10**9, 50 * 10**9)
    assert memory.memory(*machine, *memory.limit(tmp_path)).level == "error"
    (tmp_path / "memory.max").write_text("max\n")
    assert memory.memory(*machine, *memory.limit(tmp_path)).level == "ok"


def test_a_trial_that_asks_for_more_cpus_than_there_are(tmp_path):
    assert memory.cpus(asked(tmp_path, workers=999)).level == "error"


def test_data_with_a_shard_cut_and_one_missing(tmp_path):
    packed = made.make(tmp_path / "tones")
    cut, gone, *_ = sorted((tmp_path / "tones").glob("train-*.tar"))
    assert [c.level for c in data.checks(asked(tmp_path, data=(packed.folder,)))] == ["ok"]
    cut.write_bytes(cut.read_bytes()[:20_000])
    gone.unlink()
    texts = [
        c.text for c in data.checks(asked(tmp_path, data=(packed.folder,))) if c.level == "error"
    ]
    assert [text.split(" in ")[0] for text in texts] == [
        f"{cut.name} is cut short", f"{gone.name} is missing",
    ]  # fmt: skip


def test_fewer_shards_than_workers(tmp_path):
    packed = made.make(tmp_path / "tones")
    levels = [c.level for c in data.checks(asked(tmp_path, data=(packed.folder,), workers=99))]
    assert levels == ["ok", "warning"]


def test_weights_that_were_cut(tmp_path):
    content = b"weights"
    name = f"net-{hashlib.sha256(content).hexdigest()[:8]}.pth"
    (tmp_path / name).write_bytes(content)
    assert [c.level for c in weights.checks(asked(tmp_path, weights=str(tmp_path)))] == ["ok"]
    (tmp_path / name).write_bytes(content[:-1])
    (check,) = weights.checks(asked(tmp_path, weights=str(tmp_path)))
    assert (check.level, check.text) == ("error", f"{name} is cut short or another file")


def test_more_code_than_ray_takes(tmp_path):
    (tmp_path / "deploy").mkdir()
    (tmp_path / "deploy" / "runtime_env.yaml").write_text("excludes: ['*.tar']\n")
    for name in ("large.bin", "left_out.tar"):
        with (tmp_path / name).open("wb") as sparse:
            sparse.truncate(600 * 2**20)
    (check,) = shipped.checks(asked(tmp_path, root=tmp_path))
    assert check.level == "warning"
    assert "ship 629 MB" in check.text
    assert check.text.endswith("large.bin")
