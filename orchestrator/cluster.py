"""The Ray cluster that a sweep runs on: joined or started, and checked before anything runs."""

import logging
import os
import signal

import ray

from data_shards.errors import UsageError
from orchestrator.resources import Resources


def connect() -> None:
    """Join the cluster that `RAY_ADDRESS` names (a job), or start Ray here, on loopback."""
    if ray.is_initialized():
        return
    for name in ("ray", "ray.tune"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    quiet = {"log_to_driver": False, "logging_level": logging.ERROR}
    on_terminate = signal.getsignal(signal.SIGTERM)
    if os.environ.get("RAY_ADDRESS"):
        ray.init(**quiet)
    else:
        ray.init(address="local", include_dashboard=False, **quiet)
    signal.signal(signal.SIGTERM, on_terminate)  # Ray's own would end us before the books are kept


def check_fits(resources: Resources) -> None:
    """Ray would wait for ever for a node that can hold a trial: say at once if there is none.

    Raises:
        UsageError: no living node has what one trial asks for.
    """
    nodes = [node["Resources"] for node in ray.nodes() if node["Alive"]]
    wanted = {"CPU": resources.request["cpu"], "GPU": resources.request["gpu"]}
    if any(all(node.get(kind, 0) >= n for kind, n in wanted.items()) for node in nodes):
        return
    largest = {kind: max(node.get(kind, 0) for node in nodes) for kind in wanted}
    raise UsageError(
        f"a trial must fit on one node, but asks for {wanted['CPU']:g} CPUs and "
        f"{wanted['GPU']:g} GPUs where nodes have at most {largest['CPU']:g} and "
        f"{largest['GPU']:g}: lower --cpus-per-trial, --loader-workers or --gpus-per-trial."
    )
