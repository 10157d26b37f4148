"""Nodes that see nothing of each other's folders, as machines without a shared file system."""

import os

import pytest

from orchestrator.storage import Storage
from tests import made, s3
from tests.cluster.on_nodes import command, finish
from tests.orchestrator.command import TINY
from tests.ray_head import ray_head

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to hide folders from a node"),
]

SWEEP = ["sweep", "loss", "--seeds", "2", "--set", "epochs=20", "--gpus-per-trial", "1",
         "--cpus-per-trial", "0.5", *TINY]  # fmt: skip


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    server = s3.Server(tmp_path_factory.mktemp("moto"))
    yield server
    server.stop()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The driver's working folder, which the head sees and no other node."""
    folder = tmp_path_factory.mktemp("user")
    made.make(folder / "tones")
    return folder


@pytest.fixture(scope="module")
def head(server, folder):
    """Three nodes of one GPU, with the way to S3 in the environment of each."""
    environment = s3.environment(server.endpoint)
    with ray_head(num_cpus=1, num_gpus=1, environment=environment) as head:
        for _ in range(2):
            head.add_node(num_cpus=1, num_gpus=1, environment=environment, hidden=folder)
        yield head


def test_with_data_and_storage_on_s3_a_sweep_spreads_over_them(head, server, folder):
    bucket = f"s3://{server.make_bucket()}"
    data = server.upload(folder / "tones", f"{bucket}/tones")
    where = ["--data", data, "--storage", f"{bucket}/runs"]
    environment = s3.environment(server.endpoint)
    with command(head, *SWEEP, *where, folder=folder, **environment) as process:
        output = finish(process)
    assert process.returncode == 0, output
    with s3.leading_to(server.endpoint):
        storage = Storage(f"{bucket}/runs")
        records = [storage.record(trial_id) for trial_id in storage.record_ids()]
    assert len({record["environment"]["node"] for record in records}) == 3
    assert len(records) == 4
    for node in (head, *head.nodes):
        kept = [path.name for path in node.cache.rglob("*") if path.is_file()]
        assert "index.json" in kept, "a node derives, or fetches, into its own cache"
    assert not any(
        key.startswith(("checkpoints", "probe")) for key in server.keys(f"{bucket}/runs")
    )


def test_a_storage_that_only_one_node_sees_is_said_at_once(head, server, folder):
    bucket = f"s3://{server.make_bucket()}"
    data = server.upload(folder / "tones", f"{bucket}/tones")
    where = ["--data", data, "--storage", "runs"]
    environment = s3.environment(server.endpoint)
    with command(head, *SWEEP, *where, folder=folder, **environment) as process:
        output = finish(process)
    assert process.returncode == 2, output
    assert "error: --storage must be seen by every node of the cluster, but" in output
    assert f"does not see {folder}/runs: use a folder that all nodes mount, or s3://." in output
    kept = {path.name for path in (folder / "runs").iterdir()}
    assert kept == {"plans", "lock"}, "no trial wrote there"


def test_so_is_data_that_only_one_node_sees(head, server, folder):
    where = ["--data", "tones", "--storage", f"s3://{server.make_bucket()}/runs"]
    environment = s3.environment(server.endpoint)
    with command(head, *SWEEP, *where, folder=folder, **environment) as process:
        output = finish(process)
    assert process.returncode == 2, output
    assert "error: --data must be seen by every node of the cluster, but" in output
    assert f"does not see {folder}/tones: use a folder that all nodes mount" in output


def test_a_node_that_lacks_the_credentials_is_named(head, server, folder):
    """Nodes that join later are asked by their trials; those there are, before anything runs."""
    bucket = f"s3://{server.make_bucket()}"
    data = server.upload(folder / "tones", f"{bucket}/tones")
    lacking = s3.environment(server.endpoint) | {"AWS_ACCESS_KEY_ID": "", "AWS_PROFILE": ""}
    node = head.add_node(num_cpus=1, num_gpus=1, environment=lacking)
    where = ["--data", data, "--storage", f"{bucket}/runs"]
    environment = s3.environment(server.endpoint)
    with command(head, *SWEEP, *where, folder=folder, **environment) as process:
        output = finish(process)
    node.kill()
    assert process.returncode == 1, output
    assert "error: every node must reach storage and data, but" in output
    assert s3.SECRET not in output
