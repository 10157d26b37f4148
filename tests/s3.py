"""A real S3-compatible server for tests: moto's, in a process of its own, on a free port.

Fixtures, known to every test: `s3`, the server; `bucket`, the URI of a fresh bucket; `forwarder`, a
way to the server that can be stopped. Each sets the standard environment variables for the test,
so that commands which it starts find the server too.
"""

import os
import re
import socket
import subprocess
import sys
import threading
import time
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cached_property
from pathlib import Path
from typing import Any

import fsspec
import pytest

from data_shards import remote

KEY, SECRET = "AKIATESTKEY", "testsecretnevershown"

# It prints its port and ends with the test process, however that ends: at the end of its stdin.
_SERVER = """
import sys
from moto.moto_server.threaded_moto_server import ThreadedMotoServer
server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
server.start()
print(server.get_host_and_port()[1], flush=True)
sys.stdin.read()
"""


class Server:
    """A moto server process; its content is in memory and ends with it."""

    def __init__(self, folder: Path) -> None:
        self._log = folder / "moto.log"
        with self._log.open("w") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-c", _SERVER], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                stderr=log, text=True,
            )  # fmt: skip
        assert self._process.stdout is not None
        self.port = int(self._process.stdout.readline())

    @property
    def endpoint(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self.port}"

    @cached_property
    def client(self) -> Any:
        """A plain client that shares nothing with the code under test."""
        import boto3  # most tests need none: it takes its time
        from botocore.config import Config

        return boto3.client(
            "s3", endpoint_url=self.endpoint, region_name="us-east-1", aws_access_key_id=KEY,
            aws_secret_access_key=SECRET, config=Config(retries={"max_attempts": 1}),
        )  # fmt: skip

    def make_bucket(self) -> str:
        """The name of a new bucket."""
        name = f"b-{uuid.uuid4().hex[:12]}"
        self.client.create_bucket(Bucket=name)
        return name

    def upload(self, folder: Path, uri: str) -> str:
        """Put a folder's files under a URI, which is returned."""
        bucket, _, prefix = uri.removeprefix("s3://").partition("/")
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                key = f"{prefix}/{path.relative_to(folder)}"
                self.client.put_object(Bucket=bucket, Key=key, Body=path.read_bytes())
        return uri

    def keys(self, uri: str) -> list[str]:
        """All keys below a URI, relative to it."""
        bucket, _, prefix = uri.removeprefix("s3://").partition("/")
        pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        found = [item["Key"] for page in pages for item in page.get("Contents", [])]
        return sorted(key.removeprefix(prefix).lstrip("/") for key in found)

    def requests(self, method: str, name: str) -> int:
        """How many requests of a method the server had whose path ends in `name`."""
        coloured = r"(?:\x1b\[\d+m)*"  # the log colours a part of a file
        line = rf'"{coloured}{method} \S*{re.escape(name)} HTTP'
        return len(re.findall(line, self._log.read_text()))

    @contextmanager
    def refusing(self) -> Iterator[None]:
        """It checks credentials meanwhile, and knows none."""
        self._requests_without_check("0")
        yield
        self._requests_without_check("inf")

    def _requests_without_check(self, count: str) -> None:
        url, header = f"{self.endpoint}/moto-api/reset-auth", {"Content-Type": "text/plain"}
        with urllib.request.urlopen(urllib.request.Request(url, count.encode(), header)):
            pass

    def stop(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.wait()


class Forwarder:
    """A TCP port in front of a server; it can go down, cutting every connection, and come back."""

    def __init__(self, port: int) -> None:
        self._to = port
        self.port = free_port()
        self._sockets: list[socket.socket] = []
        self._after_bytes: int | None = None
        self.start()

    @property
    def endpoint(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Listen, on the same port as before."""
        listener = socket.create_server(("127.0.0.1", self.port), reuse_port=False)
        self._sockets = [listener]
        threading.Thread(target=self._accept, args=(listener,), daemon=True).start()

    def stop(self) -> None:
        """Refuse connections and cut those there are."""
        for each in self._sockets:
            _close(each)

    def cut_after(self, count: int) -> None:
        """Go down once, as soon as so many bytes more have come from the server."""
        self._after_bytes = count

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                near, _ = listener.accept()
            except OSError:
                return
            far = socket.create_connection(("127.0.0.1", self._to))
            self._sockets += [near, far]
            threading.Thread(target=self._pump, args=(near, far, False), daemon=True).start()
            threading.Thread(target=self._pump, args=(far, near, True), daemon=True).start()

    def _pump(self, source: socket.socket, target: socket.socket, counted: bool) -> None:
        try:
            while chunk := source.recv(16_384):
                if counted and self._after_bytes is not None:
                    self._after_bytes -= len(chunk)
                    if self._after_bytes <= 0:
                        self._after_bytes = None
                        self.stop()
                        return
                target.sendall(chunk)
        except OSError:
            pass
        _close(source)
        _close(target)


def _close(each: socket.socket) -> None:
    """Shut down first: a forked loader process may hold a copy."""
    with suppress(OSError):
        each.shutdown(socket.SHUT_RDWR)
    each.close()


def free_port() -> int:
    """A port that nothing listens on."""
    with socket.create_server(("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1])


def environment(endpoint: str) -> dict[str, str]:
    """The standard variables that lead any S3 client there, and nowhere else."""
    return {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": KEY,
        "AWS_SECRET_ACCESS_KEY": SECRET,
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",  # else a machine of AWS is asked for credentials
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    }


@contextmanager
def leading_to(endpoint: str, **changed: str | None) -> Iterator[None]:
    """These variables, some changed or (None) unset, and no client that remembers others."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in (environment(endpoint) | changed).items():
            patch.delenv(name, raising=False)
            if value is not None:
                patch.setenv(name, value)
        forget_clients()
        yield
    forget_clients()


def forget_clients() -> None:
    """Clients keep the endpoint and the credentials that they found first."""
    remote.filesystem.cache_clear()
    fsspec.get_filesystem_class("s3").clear_instance_cache()


@pytest.fixture(scope="session")
def _server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = Server(tmp_path_factory.mktemp("moto"))
    yield server
    server.stop()


@pytest.fixture
def s3(_server: Server) -> Iterator[Server]:
    """A running server; the environment leads there."""
    with leading_to(_server.endpoint):
        yield _server


@pytest.fixture
def bucket(s3: Server) -> str:
    """The URI of a fresh bucket."""
    return f"s3://{s3.make_bucket()}"


@pytest.fixture
def forwarder(s3: Server) -> Iterator[Forwarder]:
    """A way to the server that can be stopped; the environment leads there."""
    between = Forwarder(s3.port)
    with leading_to(between.endpoint):
        yield between
    between.stop()


@contextmanager
def at_once() -> Iterator[None]:
    """No try is repeated meanwhile; no matter how busy the machine is."""

    def repeated(error: Exception, where: str) -> None:
        raise AssertionError(f"{where} is tried again after {error!r}")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(remote, "_warn", repeated)
        yield


def wait_until(true: Callable[[], bool], *, seconds: float = 30) -> None:
    """Until something is so."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.02)
