"""A real Ray cluster for the tests: a head with a token, and worker nodes, as processes.

Every node has a home, a temporary folder and a cache of its own, as separate machines have; ports
are free ones, so that several clusters stand side by side. A node's processes carry its folder in
their environment: by that they are found and killed, those of other clusters never.
"""

import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

MARK = "VFSEL_TEST_NODE"
NO_SPARE_WORKERS = {"RAY_prestart_worker_first_driver": "0"}
"""Else a node starts a process for each of its CPUs with every driver, needed or not."""
_BIN = Path(sys.executable).parent
_OURS = ("RAY_", "VFSEL_", "AWS_", "MLFLOW_")


def free_port() -> int:
    """A port of loopback that nobody listens on."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def wait_for(condition: Callable[[], object], *, seconds: float, what: str) -> None:
    """Until the condition holds.

    Raises:
        AssertionError: it did not in so many seconds.
    """
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"not within {seconds} s: {what}"
        time.sleep(0.2)


class Node:
    """A node of the cluster: `ray start --block` and all that it started."""

    def __init__(
        self,
        arguments: list[str],
        *,
        token: str,
        num_cpus: int,
        num_gpus: int,
        environment: Mapping[str, str] | None = None,
        wrapper: Sequence[str] = (),
    ) -> None:
        # short: a unix socket's path below it may have about 107 bytes
        self.folder = Path(tempfile.mkdtemp(dir="/tmp", prefix="r-"))
        self.home, self.tmp, self.cache = (self.folder / name for name in ("home", "tmp", "cache"))
        for path in (self.home / ".ray", self.tmp, self.cache):
            path.mkdir(parents=True)
        (self.home / ".ray" / "auth_token").write_text(token)
        self.environment = _clean() | {
            "HOME": str(self.home), "TMPDIR": str(self.tmp), "VFSEL_CACHE": str(self.cache),
            MARK: str(self.folder), "RAY_AUTH_MODE": "token", "RAY_USAGE_STATS_ENABLED": "0",
            "OMP_NUM_THREADS": "1", **NO_SPARE_WORKERS, **(environment or {}),
        }  # fmt: skip
        self.log = self.folder / "log"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [*wrapper, _BIN / "ray", "start", *arguments, *self._options(num_cpus, num_gpus)],
                env=self.environment, cwd=self.home, start_new_session=True,
                stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT,
            )  # fmt: skip

    def _options(self, num_cpus: int, num_gpus: int) -> list[str]:
        options = {
            "node-ip-address": "127.0.0.1", "temp-dir": self.folder / "ray",
            "num-cpus": num_cpus, "num-gpus": num_gpus, "object-store-memory": 100_000_000,
            "dashboard-agent-listen-port": free_port(), "dashboard-agent-grpc-port": free_port(),
            "min-worker-port": 0, "max-worker-port": 0,
        }  # fmt: skip
        return ["--block", *(f"--{name}={value}" for name, value in options.items())]

    def pids(self) -> list[int]:
        """The living processes of this node, workers and drivers of jobs included."""
        mark = f"{MARK}={self.folder}".encode()
        found = (int(p.name) for p in Path("/proc").iterdir() if p.name.isdigit())
        return [pid for pid in found if mark in _environ(pid).split(b"\0")]

    def kill(self) -> None:
        """The machine is gone: every process ends at once, none can say good-bye."""
        wait_for(self._killed, seconds=30, what="the node's processes are gone")
        self.process.wait(30)

    def _killed(self) -> bool:
        left = self.pids()
        for pid in left:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        return not left

    def remove(self) -> None:
        """Kill it and delete its folder."""
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)


class Head(Node):
    """The head: Ray's books, the dashboard with the jobs' API on loopback, and a node."""

    def __init__(
        self, *, num_cpus: int, num_gpus: int, environment: Mapping[str, str] | None = None
    ) -> None:
        self.token = secrets.token_hex(32)
        self.port, dashboard = free_port(), free_port()
        self.address = f"127.0.0.1:{self.port}"
        """For `ray.init` and for nodes."""
        self.dashboard = f"http://127.0.0.1:{dashboard}"
        """For `ray job submit`."""
        self.nodes: list[Node] = []
        arguments = [
            "--head", f"--port={self.port}", "--dashboard-host=127.0.0.1",
            f"--dashboard-port={dashboard}", f"--ray-client-server-port={free_port()}",
        ]  # fmt: skip
        super().__init__(
            arguments, token=self.token, num_cpus=num_cpus, num_gpus=num_gpus,
            environment=environment,
        )  # fmt: skip

    def wait(self) -> None:
        """Until jobs can be submitted and the head's own node counts."""
        wait_for(self._serves, seconds=120, what=f"the head serves, see {self.log}")

    def _serves(self) -> bool:
        assert self.process.poll() is None, self.log.read_text()
        try:
            return self.get("/api/jobs/") is not None and self.alive() == 1
        except OSError:
            return False

    def get(self, path: str) -> Any:
        """What the dashboard answers, from JSON."""
        return self._ask(path, method="GET")

    def post(self, path: str) -> Any:
        """Ask the dashboard to do something; its answer, from JSON."""
        return self._ask(path, method="POST")

    def _ask(self, path: str, *, method: str) -> Any:
        request = urllib.request.Request(self.dashboard + path, method=method)
        request.add_header("Authorization", f"Bearer {self.token}")
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.loads(answer.read())

    def client(self) -> dict[str, str]:
        """Environment of a user on another machine who has the token; none of the head's."""
        user = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": self.token}
        return _clean() | user | {"OMP_NUM_THREADS": "1"}

    def add_node(
        self,
        *,
        num_cpus: int = 4,
        num_gpus: int = 0,
        environment: Mapping[str, str] | None = None,
        hidden: Path | None = None,
    ) -> Node:
        """Start a worker node and wait until it has joined.

        Args:
            hidden: a folder that is empty for this node, as another machine's is (needs root).
        """
        before = self.alive()
        node = Node(
            [f"--address={self.address}"], token=self.token, num_cpus=num_cpus,
            num_gpus=num_gpus, environment=environment, wrapper=_hiding(hidden) if hidden else (),
        )  # fmt: skip
        self.nodes.append(node)
        what = f"the node joins, see {node.log}"
        wait_for(lambda: self.alive() > before, seconds=120, what=what)
        return node

    def alive(self) -> int:
        """How many nodes the head believes to live."""
        nodes = self.get("/api/v0/nodes?limit=100")["data"]["result"]["result"]
        return sum(node["state"] == "ALIVE" for node in nodes)

    def stop(self) -> None:
        """End the cluster; nothing of it is left."""
        for node in [*self.nodes, self]:
            node.remove()


@contextmanager
def ray_head(
    *, num_cpus: int = 16, num_gpus: int = 4, environment: Mapping[str, str] | None = None
) -> Iterator[Head]:
    """A head (its GPUs are virtual) that is gone afterwards, with all nodes added to it."""
    head = Head(num_cpus=num_cpus, num_gpus=num_gpus, environment=environment)
    try:
        head.wait()
        yield head
    finally:
        head.stop()


def _hiding(folder: Path) -> list[str]:
    """A command's prefix: it runs with an empty file system of its own in the folder's place."""
    script = 'mount -t tmpfs none "$0" && exec "$@"'
    return ["unshare", "--mount", "sh", "-c", script, str(folder)]


def _clean() -> dict[str, str]:
    """This process' environment, its Python first, without what leads to another cluster."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_OURS)}
    return kept | {"PATH": f"{_BIN}:{os.environ['PATH']}"}


def _environ(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/environ").read_bytes()
    except OSError:
        return b""
