"""Kill at random, again and again, until the sweep has finished: nothing is lost by it.

Two nodes and a head, a trial a node. Each kill comes after new progress. What was killed is
started again before the next command, so that one command lives through several kills.
"""

import json
import os
import random
import re
import signal
from collections import Counter
from pathlib import Path

import pytest

from orchestrator.storage import Storage
from tests import made
from tests.faults import processes
from tests.faults.conftest import LONG, SEEDS, epochs_of, records
from tests.faults.outcome import NOTHING_LOST, assert_finished, checkpointed, states
from tests.orchestrator.command import start
from tests.ray_head import Head, wait_for

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]

SWEEP = [*LONG, "--max-failures", "99"]
SOON = {"RAY_health_check_period_ms": "500", "RAY_health_check_failure_threshold": "3"}


class Ground:
    """A cluster and the command that runs on it; each method but the first few is a fault."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder, self._patch = folder, monkeypatch
        self.head = self.node = self.command = None

    def raise_up(self) -> None:
        """Start what is missing, the command last."""
        if self.head is None:
            self.head = Head(num_cpus=1, num_gpus=0, environment=SOON)
            self.head.wait()
            for name, value in {"RAY_ADDRESS": self.head.address, **self.head.client()}.items():
                self._patch.setenv(name, value)
        if self.node is None:
            self.node = self.head.add_node(num_cpus=1, environment=SOON)
        if self.command is None:
            self.command = start(*SWEEP, folder=self.folder)

    def tear_down(self) -> None:
        """Nothing is left."""
        if self.command is not None:
            self.command.kill()
        if self.head is not None:
            self.head.stop()

    def leave(self) -> None:
        """Without the cluster: the next command runs on this machine alone."""
        self.tear_down()
        self.head = self.node = self.command = None
        for name in ("RAY_ADDRESS", "RAY_AUTH_MODE", "RAY_AUTH_TOKEN"):
            self._patch.delenv(name)

    def _ended(self, *codes: int) -> str:
        """The command ends soon, with such a code and without a traceback; what it printed."""
        output, _ = self.command.communicate(timeout=150)
        assert self.command.returncode in codes, output
        assert "Traceback" not in output
        self.command = None
        return output

    def driver(self) -> None:
        """SIGKILL of the command alone."""
        self.command.kill()
        self._ended(-signal.SIGKILL)

    def worker(self) -> None:
        """SIGKILL of a process that trains."""
        nodes = [node for node in (self.head, self.node) if node]
        find = lambda: [pid for node in nodes for pid in node.pids()]  # noqa: E731
        processes.send(signal.SIGKILL, [processes.a_trainer(find)])

    def raylet(self) -> None:
        """SIGKILL of the second node's raylet alone."""
        processes.send(signal.SIGKILL, processes.raylets(self.node.pids()))
        self._lost()

    def second_node(self) -> None:
        """SIGKILL of all of the second node."""
        self.node.kill()
        self._lost()

    def _lost(self) -> None:
        wait_for(lambda: self.head.alive() == 1, seconds=60, what="the head notices")
        self.node = None

    def whole_head(self) -> None:
        """SIGKILL of the head; the command ends by itself, in one line."""
        self.head.kill()
        said = self._ended(1)
        assert re.search(rf"error: the Ray head at \S+:{self.head.port} must answer", said), said
        assert NOTHING_LOST in said
        assert "Failed to connect to GCS" not in said
        self.head.stop()
        self.head = self.node = None

    def stop(self) -> None:
        """SIGTERM, and SIGKILL 3 s later."""
        processes.terminate_then_kill(self.command)
        self._ended(-signal.SIGKILL, 130)

    def interrupt(self) -> None:
        """SIGINT."""
        self.command.send_signal(signal.SIGINT)
        assert NOTHING_LOST in self._ended(130)
        assert "KILLED" in states(self.folder)

    def truncation(self) -> None:
        """Power loss: the newest file in storage loses its second half."""
        self.driver()
        wait_for(lambda: not self._trains(), seconds=30, what="no trial writes any more")
        files = [path for path in (self.folder / "runs").rglob("*") if path.is_file()]
        newest = max(files, key=lambda path: path.stat().st_mtime_ns)
        os.truncate(newest, newest.stat().st_size // 2)

    def _trains(self) -> list[int]:
        nodes = [node for node in (self.head, self.node) if node]
        return processes.trainers(pid for node in nodes for pid in node.pids())


NODE = (Ground.raylet, Ground.second_node)
TRIES = Counter({
    Ground.driver: 2, Ground.worker: 11, Ground.raylet: 1, Ground.second_node: 1,
    Ground.whole_head: 1, Ground.stop: 1, Ground.interrupt: 2, Ground.truncation: 2,
})  # fmt: skip
"""How often each fault comes, 21 in all, in an order that is drawn."""


def _draw(left: Counter, draws: random.Random, *, node: bool):
    """The next fault; one of the second node only while it is there."""
    possible = [fault for fault in left.elements() if node or fault not in NODE]
    return draws.choice(possible) if possible else None


def _strike(ground: Ground, fault) -> int:
    """Epochs that were reported, but must be trained again after this fault."""
    runs = ground.folder / "runs"
    reported = epochs_of(runs)
    fault(ground)
    return sum(_due(runs, reported).values())


def _due(runs: Path, reported: dict[str, int]) -> dict[str, int]:
    """By trial: epochs that were reported and are in no checkpoint or record."""
    storage = Storage(str(runs))
    whole = {name for name in storage.record_ids() if _is_whole(runs / "records" / f"{name}.json")}
    return {
        name: max(0, count - checkpointed(storage, name))
        for name, count in reported.items()
        if name not in whole
    }


def _is_whole(path: Path) -> bool:
    try:
        json.loads(path.read_text())
    except ValueError:
        return False
    return True


@pytest.fixture
def ground(tmp_path, monkeypatch):
    made.make(tmp_path / "tones", per_class=20)
    ground = Ground(tmp_path, monkeypatch)
    yield ground
    ground.tear_down()


@pytest.mark.parametrize("seed", SEEDS)
def test_killed_at_random_until_it_has_finished_every_record_is_as_undisturbed(
    ground, undisturbed_long, seed
):
    draws, left, lost = random.Random(f"kills {seed}"), Counter(TRIES), Counter()
    while left.total():
        if ground.command is None:
            ground.raise_up()
        fault = _draw(left, draws, node=ground.node is not None)
        if fault is None:
            ground.raise_up()
            continue
        processes.wait_for_more(ground.command, ground.folder, draws.randint(1, 3))
        lost[fault] += _strike(ground, fault)
        left -= Counter([fault])
    ground.leave()
    ground.command = start(*SWEEP, folder=ground.folder)
    output, _ = ground.command.communicate(timeout=400)
    assert ground.command.returncode == 0, output
    equal = _equal(records(ground.folder / "runs"), undisturbed_long)
    _show([_row(fault, TRIES[fault], lost[fault], equal) for fault in TRIES])
    assert_finished(ground.folder, undisturbed_long)
    assert not any(lost[fault] for fault in TRIES if fault is not Ground.truncation)


def _equal(found: dict, whole: dict) -> str:
    return f"{sum(found.get(name) == record for name, record in whole.items())} of {len(whole)}"


def _row(fault, tries: int, lost: int, equal: str) -> dict:
    return {"fault": fault.__doc__.rstrip("."), "tries": tries, "epochs lost": lost,
            "records equal": equal}  # fmt: skip


def _show(rows: list[dict]) -> None:
    """As a table, and as JSON in the file that FAULT_TABLE names."""
    for row in rows:
        print(" | ".join(str(value) for value in row.values()))
    if path := os.environ.get("FAULT_TABLE"):
        Path(path).write_text(json.dumps(rows, indent=1))
