"""Whether every node of a cluster sees the same storage and data, asked before anything runs.

A folder of one machine works there and nowhere else: trials on other nodes would write records
that nobody finds. So each node is asked for a file that was written just now.
"""

import socket
from typing import Any

import ray
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from data_shards import files, manifest
from data_shards.errors import DataError, UsageError
from data_shards.manifest import Data
from orchestrator.cluster import alive
from orchestrator.storage import Storage

ANSWER_SECONDS = 120.0  # a node may have to start a process and import from a slow disk


def check_visible(*, storage: Storage, data: Data) -> None:
    """Ask every living node of a cluster; one node alone is not asked.

    Raises:
        UsageError: a node does not see the storage or the data.
        DataError: a node does not answer, or cannot run this program.
    """
    nodes = alive()
    if len(nodes) < 2:
        return
    with storage.probe() as probe:
        places = (files.absolute(probe), files.absolute(data.folder), data.manifest.hash)
        task = ray.remote(num_cpus=0, max_retries=0)(look)
        asked = {task.options(**_on(node)).remote(*places): node for node in nodes}
        ray.wait(list(asked), num_returns=len(asked), timeout=ANSWER_SECONDS)
        for answer, node in asked.items():
            _judge(answer, str(node["NodeManagerHostname"]), storage, data)


def _on(node: dict[str, Any]) -> dict[str, Any]:
    return {"scheduling_strategy": NodeAffinitySchedulingStrategy(node["NodeID"], soft=False)}


def look(probe: str, folder: str, data_hash: str) -> tuple[str, str]:
    """Runs on a node: what it does not see (`storage`, `data`, or nothing), and its host name."""
    host = socket.gethostname()
    if files.read_bytes(probe) is None:
        return "storage", host
    content = files.read_bytes(files.join(folder, manifest.NAME))
    if content is None or manifest.parse(content, folder).hash != data_hash:
        return "data", host
    return "", host


def _judge(answer: Any, host: str, storage: Storage, data: Data) -> None:
    try:
        unseen, host = ray.get(answer, timeout=0)
    except ray.exceptions.GetTimeoutError as error:
        raise DataError(
            f"every node must answer, but {host} has not for {ANSWER_SECONDS:g} s: see its state "
            "with `ray status`."
        ) from error
    except (ray.exceptions.NodeDiedError, ray.exceptions.TaskUnschedulableError):
        return  # lost meanwhile; trials go elsewhere
    except ray.exceptions.RayTaskError as error:
        raise _failed(error, host) from error
    if not unseen:
        return
    url = {"storage": storage.url, "data": data.folder}[unseen]
    raise UsageError(
        f"--{unseen} must be seen by every node of the cluster, but {host} does not see "
        f"{files.shown(files.absolute(url))}: use a folder that all nodes mount, or s3://."
    )


def _failed(error: ray.exceptions.RayTaskError, host: str) -> DataError:
    """What a node says of its own: credentials that it lacks, a package that it does not have."""
    cause = error.cause
    said = str(cause) if isinstance(cause, UsageError | DataError) else repr(cause)
    return DataError(f"every node must reach storage and data, but {host} cannot: {said}")
