"""A sweep on three nodes: it spreads, it uses a node that joins, it outlives one that is lost."""

import re

import pytest

from orchestrator.failures import CUT_OFF, LOST
from orchestrator.storage import Storage
from tests import made
from tests.cluster.on_nodes import SECONDS, command, finish, reports, wait_for_reports
from tests.faults.doubles import HOLD, Doubles
from tests.orchestrator.command import TINY
from tests.ray_head import Node, ray_head, wait_for

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]

SWEEP = [
    "sweep", "loss", "--data", "tones", "--seeds", "3", "--set", "epochs=4", *TINY,
    "--gpus-per-trial", "1", "--cpus-per-trial", "0.5", "--max-failures", "0",
]  # fmt: skip


def test_a_sweep_spreads_uses_a_node_that_joins_and_outlives_one_that_is_lost(tmp_path):
    """Six trials where three fit; none may fail: a lost node is not the trial's failure.

    All are held in their second epoch until a node is lost: else those that have ended one take
    the next before the new node's are up.
    """
    made.make(tmp_path / "tones")
    doubles = Doubles(tmp_path)
    doubles.cause(HOLD)
    of_node = {"num_cpus": 1, "num_gpus": 1, "environment": doubles.environment}
    storage = Storage(str(tmp_path / "runs"))
    with ray_head(**of_node) as head:
        lost, stays = (head.add_node(**of_node) for _ in range(2))
        with command(head, *SWEEP, folder=tmp_path) as process:
            wait_for_reports(tmp_path / "runs", trials=3, process=process)
            wait_for(
                lambda: all(_is_used(node) for node in (head, lost, stays)),
                seconds=SECONDS, what="all three nodes are used",
            )  # fmt: skip
            joined = head.add_node(**of_node)
            wait_for(lambda: _is_used(joined), seconds=SECONDS, what="the node that joined is used")
            lost.kill()
            before = reports(storage, tmp_path / "runs")
            doubles.cause("")
            output = finish(process)
        assert process.returncode == 0, output
    assert "(raylet)" not in output
    failed = re.findall(r"(loss=\S+ seed=\d): failed: (.*)", output)
    assert len({name for name, _ in failed}) == 1, output
    assert {reason for _, reason in failed} <= {LOST, CUT_OFF}
    records = {trial_id: storage.record(trial_id) for trial_id in storage.record_ids()}
    assert len(records) == 6
    assert len({record["environment"]["node"] for record in records.values()}) >= 3
    for trial_id, done in before.items():  # no epoch was trained twice: its time is the first one
        assert done
        assert records[trial_id]["reports"][: len(done)] == done


def _is_used(node: Node) -> bool:
    """A trial on the node has derived features into its cache."""
    return any(node.cache.iterdir())
