"""Wrong addresses of a cluster: one line each, at once."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from data_shards.errors import DataError, UsageError
from orchestrator import cluster
from orchestrator.cluster import connect
from tests.s3 import free_port


@pytest.fixture(autouse=True)
def _alone():
    """An earlier test of this process may have left a Ray running, which would be joined."""
    cluster.ray.shutdown()


@pytest.mark.parametrize(
    "address", ["nonsense", "http://127.0.0.1:8265", "ray://127.0.0.1:10001", "a:b", ":", "x@y:1"]
)
def test_an_address_must_be_that_of_a_head(monkeypatch, address):
    monkeypatch.setenv("RAY_ADDRESS", address)
    with pytest.raises(UsageError, match="RAY_ADDRESS must be HOST:PORT of a Ray head") as error:
        connect()
    assert "x@y" not in str(error.value)  # it may be a password


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "no-such-host.invalid"])
def test_where_no_cluster_is_that_is_said_at_once(monkeypatch, host):
    monkeypatch.setenv("RAY_ADDRESS", f"{host}:{free_port()}")
    start = time.monotonic()
    with pytest.raises(UsageError, match="nothing answers at") as error:
        connect()
    assert time.monotonic() - start < 15
    assert "\n" not in str(error.value)


def test_a_thread_has_no_signals_and_starts_no_ray():
    with ThreadPoolExecutor() as threads, pytest.raises(UsageError, match="main thread"):
        threads.submit(connect).result()
    assert not cluster.ray.is_initialized()


@pytest.mark.parametrize("slow", [0, 2])
def test_ray_that_is_slow_to_start_is_started_again(monkeypatch, slow):
    tried = []

    def init(**_):
        tried.append(1)
        if len(tried) <= slow:
            raise Exception("The current node timed out during startup.")

    monkeypatch.setattr(cluster.ray, "init", init)
    cluster._start_here()
    assert len(tried) == slow + 1


def test_ray_that_does_not_start_is_said(monkeypatch):
    def init(**_):
        raise Exception("no room\nfor it")

    monkeypatch.setattr(cluster.ray, "init", init)
    with pytest.raises(DataError, match="Ray must start on this machine, but does not .no room.:"):
        cluster._start_here()
