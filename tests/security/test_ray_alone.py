"""The Ray that a sweep starts: on loopback, and nobody joins it without its token."""

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from data_shards.errors import UsageError
from orchestrator.ray_environment import ALONE, set_token
from tests import made
from tests.faults.conftest import SWEEP, wait_for_epoch
from tests.orchestrator.command import start

JOIN = "import ray, sys; ray.init(address=sys.argv[1]); print('joined')"
LOOPBACK = re.compile(r"0100007F|0{24}01000000|0{16}FFFF00000100007F")  # as the kernel prints them


@pytest.fixture
def ray_folder(monkeypatch):
    """Ray's folder; by its name in their environment a sweep's processes are found."""
    folder = Path(tempfile.mkdtemp(dir="/tmp", prefix="r-"))
    monkeypatch.setenv("RAY_TMPDIR", str(folder))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


def read(path):
    try:
        return path.read_bytes()
    except OSError:
        return b""


def processes(ray_folder):
    """Those of the sweep, Ray's own included."""
    mark = f"RAY_TMPDIR={ray_folder}".encode()
    found = [path for path in Path("/proc").iterdir() if path.name.isdigit()]
    return [path for path in found if mark in read(path / "environ").split(b"\0")]


def listening(found):
    """Addresses, as the kernel prints them, at which these processes take connections."""
    lines = [
        line.split()
        for name in ("tcp", "tcp6")
        for line in Path("/proc/net", name).read_text().splitlines()[1:]
    ]
    addresses = {f"socket:[{line[9]}]": line[1] for line in lines if line[3] == "0A"}
    descriptors = [each for path in found for each in (path / "fd").glob("*")]
    targets = {str(each.readlink()) for each in descriptors if each.is_symlink()}
    return {addresses[target].split(":")[0] for target in targets & set(addresses)}


def value(found, pattern):
    """What stands in the command line or environment of one of these processes."""
    texts = [read(path / name) for path in found for name in ("cmdline", "environ")]
    return next(match[1].decode() for text in texts if (match := re.search(pattern, text)))


def joins(address, **token):
    kept = {name: text for name, text in os.environ.items() if not name.startswith("RAY_")}
    line, environment = [sys.executable, "-c", JOIN, address], kept | ALONE | token
    done = subprocess.run(line, env=environment, capture_output=True, text=True, timeout=120)
    return "joined" in done.stdout


@pytest.mark.slow
def test_a_sweep_listens_on_loopback_and_asks_for_its_token(tmp_path, ray_folder, monkeypatch):
    made.make(tmp_path / "tones", per_class=20)
    for name in ("RAY_AUTH_MODE", "RAY_AUTH_TOKEN", "RAY_ADDRESS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", "/proc/nowhere")  # not even root can write there
    sweep = start(*SWEEP, "--set", "epochs=400", folder=tmp_path)
    try:
        wait_for_epoch(tmp_path / "runs", 1)
        found = processes(ray_folder)
        addresses = listening(found)
        assert len(found) > 3
        assert addresses
        assert all(LOOPBACK.fullmatch(address) for address in addresses), addresses
        address = value(found, rb"--gcs-address=([\d.:]+)")
        token = value(found, rb"RAY_AUTH_TOKEN=(\w{64})")
        assert not joins(address)
        assert not joins(address, RAY_AUTH_MODE="token", RAY_AUTH_TOKEN="f" * 64)
        assert joins(address, RAY_AUTH_MODE="token", RAY_AUTH_TOKEN=token)
        ours = [*tmp_path.rglob("*"), *ray_folder.rglob("*")]
        assert not [path for path in ours if path.is_file() and token.encode() in read(path)]
    finally:
        sweep.send_signal(signal.SIGINT)
        said, _ = sweep.communicate(timeout=60)
    assert sweep.returncode == 130, said
    assert token not in said


@pytest.mark.parametrize("switch", [None, "1"])
def test_ray_is_not_opened_to_other_machines_without_a_token(monkeypatch, switch):
    monkeypatch.setenv("RAY_AUTH_MODE", "disabled")
    monkeypatch.delenv("RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER", raising=False)
    if switch:
        monkeypatch.setenv("RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER", switch)
    with pytest.raises(UsageError, match="must ask for a token where other machines reach it"):
        set_token()


@pytest.mark.parametrize("name", ["RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH"])
def test_a_token_of_the_users_own_stays(monkeypatch, name):
    for each in ("RAY_AUTH_MODE", "RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH"):
        monkeypatch.delenv(each, raising=False)
    monkeypatch.setenv(name, "mine")
    set_token()
    assert {n: v for n, v in os.environ.items() if n.startswith("RAY_AUTH_")} == {name: "mine"}
