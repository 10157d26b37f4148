"""Ray: the cluster that is named, who may use it, and whether a trial fits; or this machine."""

import json
import os
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import ray
from ray._private.accelerators.nvidia_gpu import NvidiaGPUAcceleratorManager

from data_shards import files
from data_shards.errors import DataError, UsageError
from orchestrator import jobs
from orchestrator.doctor.check import Asked, Check, error, ok, warning
from orchestrator.doctor.probes import ProbeError, probe
from orchestrator.resources import Resources

SECONDS = 5.0
Node = dict[str, float]


def checks(asked: Asked) -> Iterator[Check]:
    """A dashboard (as `submit` uses it), a head (as `sweep` does), or neither."""
    if not asked.address:
        yield ok(
            "ray", f"{ray.__version__}; no cluster named: a sweep starts Ray here, on loopback"
        )
        yield _gpus_here(asked.resources)
        return
    yield from _token()
    if asked.address.startswith(("http://", "https://")):
        yield from _dashboard(asked)
    else:
        yield from _head(asked)


def _token() -> Iterator[Check]:
    """The token itself is never shown."""
    path = Path(os.environ.get("RAY_AUTH_TOKEN_PATH") or Path.home() / ".ray" / "auth_token")
    there = bool(os.environ.get("RAY_AUTH_TOKEN")) or path.expanduser().is_file()
    if os.environ.get("RAY_AUTH_MODE", "").lower() != "token":
        return
    if there:
        yield ok("ray token", "this side has one")
    else:
        advice = "set RAY_AUTH_TOKEN, or write the head's token into ~/.ray/auth_token"
        yield error("ray token", "RAY_AUTH_MODE=token, but this side has none", advice)


def _dashboard(asked: Asked) -> Iterator[Check]:
    shown = files.shown(asked.address)
    try:
        opened = _is_open(asked.address)
    except (OSError, ValueError) as problem:
        reason = getattr(problem, "reason", problem)
        text = f"no dashboard answers at {shown} ({reason})"
        yield error("ray", text, "start the head, or give its --address")
        return
    if opened:
        yield _unguarded(shown, str(urlsplit(asked.address).hostname))
    try:
        client = jobs.connect(asked.address)
    except (UsageError, DataError) as problem:
        yield error("ray", str(problem))
        return
    yield ok("ray", f"{ray.__version__}, as the head at {shown} has")
    yield from fits(_nodes(client), asked.resources)


def _is_open(address: str) -> bool:
    """Whether a dashboard answers who shows no token."""
    url = f"{address.rstrip('/')}/api/version"
    try:
        with urllib.request.urlopen(url, timeout=SECONDS) as answer:  # noqa: S310
            return "ray_version" in json.loads(answer.read())
    except urllib.error.HTTPError as refusal:
        if refusal.code == 401:
            return False
        raise


def _unguarded(shown: str, host: str) -> Check:
    text = f"{shown} takes jobs without a token: whoever reaches it runs code (CVE-2023-48022)"
    advice = "set RAY_AUTH_MODE=token on every node before `ray start`, and keep it on loopback"
    return (
        warning("ray token", text, advice)
        if is_loopback(host)
        else error("ray token", text, advice)
    )


def is_loopback(host: str) -> bool:
    """Whether only programs of this machine reach a host."""
    return host in ("localhost", "::1") or host.startswith("127.")


def _nodes(client: Any) -> list[Node]:
    answer = client._do_request("GET", "/api/v0/nodes?detail=true&limit=1000", timeout=SECONDS)
    found = answer.json()["data"]["result"]["result"]
    return [node["resources_total"] for node in found if node["state"] == "ALIVE"]


def _head(asked: Asked) -> Iterator[Check]:
    try:
        nodes = probe("ray_nodes", RAY_ADDRESS=asked.address)
    except ProbeError as problem:
        yield error("ray", str(problem))
        return
    yield ok("ray", f"{ray.__version__}, as the head at {asked.address} has")
    yield from fits(nodes, asked.resources)


def fits(nodes: Sequence[Node], resources: Resources) -> Iterator[Check]:
    """Whether one of the nodes can hold a trial, and how many trials all of them hold at once."""
    wanted = {name.upper(): count for name, count in resources.request.items()}
    have = ", ".join(f"{sum(n.get(k, 0) for n in nodes):g} {k}s" for k in wanted)
    asks = " and ".join(f"{count:g} {kind}s" for kind, count in wanted.items())
    text = f"{len(nodes)} nodes with {have}; a trial asks for {asks}"
    if any(all(node.get(kind, 0) >= count for kind, count in wanted.items()) for node in nodes):
        yield ok("cluster", text)
    else:
        advice = (
            "lower --cpus-per-trial, --loader-workers or --gpus-per-trial, or add a larger node"
        )
        yield error("cluster", f"{text}: no node can hold it", advice)
    if not resources.gpus and any(node.get("GPU", 0) for node in nodes):
        yield warning("cluster", "its GPUs would stay idle", "give --gpus-per-trial")


def _gpus_here(resources: Resources) -> Check:
    """What Ray counts by the driver, and torch by CUDA."""
    counted = NvidiaGPUAcceleratorManager.get_current_node_num_accelerators()
    try:
        found = probe("torch")
    except ProbeError:
        return warning("gpus", f"Ray sees {counted}, torch cannot be asked", "mend torch first")
    usable = len(found["gpus"])
    text = f"Ray sees {counted}, torch {usable}"
    if counted != usable:
        advice = f"see that the driver serves torch's CUDA ({found['cuda']}): nvidia-smi"
        return (error if resources.gpus else warning)("gpus", text, advice)
    if resources.gpus > usable:
        return error(
            "gpus", f"{text}; a trial asks for {resources.gpus:g}", "lower --gpus-per-trial"
        )
    if usable and not resources.gpus:
        return warning("gpus", f"{text}, and trials would use none", "give --gpus-per-trial")
    return ok("gpus", text)
