"""Wrong addresses of a cluster: one line each, at once."""

import time

import pytest

from data_shards.errors import UsageError
from orchestrator.cluster import connect
from tests.s3 import free_port


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
