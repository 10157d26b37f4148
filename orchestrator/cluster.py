"""The Ray cluster that a sweep runs on: joined or started, and checked before anything runs."""

import logging
import math
import os
import re
import signal
import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import ray
from ray.tune.execution import class_cache
from rich.console import Console

from data_shards.errors import DataError, UsageError
from orchestrator.failures import CUT_OFF, LOST, Failure, Kind
from orchestrator.ray_environment import set_token
from orchestrator.resources import Resources

KINDS = ("CPU", "GPU")
STARTS = 3  # tries to start Ray here
PROBE_SECONDS = 10.0  # Ray itself would try for minutes
HEAD_SECONDS = 30.0  # Ray's core ends the program after a minute, in words of its own
NOTICE_SECONDS = 60.0  # a head believes so long, and a bit less, in a node that is gone


def connect() -> None:
    """Join the cluster that `RAY_ADDRESS` names (a job), or start Ray here, on loopback.

    Raises:
        UsageError: no cluster is there, it runs other versions, it does not accept our token,
            the environment opens a Ray of our own to others without one, or this is not the main
            thread.
        DataError: Ray does not start here.
    """
    if ray.is_initialized():
        return
    if threading.current_thread() is not threading.main_thread():
        raise UsageError(
            "Ray must be started by a program's main thread, which alone has signals, but this is "
            "another one: call `run` in the main thread, or `ray.init` there before."
        )
    _keep_to_itself()
    quiet = {"log_to_driver": False, "logging_level": logging.ERROR}
    if address := os.environ.get("RAY_ADDRESS"):
        _check_address(address)
        try:
            with _silence():
                ray.init(**quiet)
        except (OSError, RuntimeError, ValueError, ray.exceptions.RayError) as error:
            raise UsageError(_refusal(error, address)) from error
    else:
        set_token()
        _start_here(**quiet)
    # Ray's core took it below Python, would print its stack, and abort us 3 s later.
    signal.signal(signal.SIGTERM, signal.getsignal(signal.SIGTERM))
    head = ray.get_runtime_context().gcs_address
    threading.Thread(target=_end_without, args=(head,), name="head", daemon=True).start()


def _keep_to_itself() -> None:
    """Ray shall print nothing, handle no signal, and hand on no variable."""
    for name in ("ray", "ray.tune"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    # Pages about a node that was lost would go to stdout, where the answer (or JSON) belongs.
    ray._private.worker.print_to_stdstream = lambda *news, **options: None
    # On SIGTERM Ray would end us before the books are kept, while it starts, too.
    ray._private.utils.set_sigterm_handler = lambda handler: None
    # Tune would hand keys to trials as a runtime environment, which Ray's logs and dashboard show.
    # Nodes have their own (`check_visible` says where not); a Ray started here inherits ours.
    # Without any, a trial can also take a process that waits already: 2 s sooner.
    class_cache.ENV_VARS_TO_PROPAGATE.clear()
    class_cache.DEFAULT_ENV_VARS.clear()


def _start_here(**quiet: Any) -> None:
    """Start Ray on this machine; again where a busy one was too slow for its 30 seconds.

    Raises:
        DataError: it does not start.
    """
    for more in reversed(range(STARTS)):
        try:
            ray.init(address="local", include_dashboard=False, **quiet)
            return
        except Exception as error:  # a bare one where a process of Ray's does not come up in time
            ray.shutdown()
            if more:
                continue
            reason = str(error).splitlines()[0]
            raise DataError(
                f"Ray must start on this machine, but does not ({reason}): free some memory or "
                "processors, and run the same command again."
            ) from error


def _end_without(head: str) -> None:
    """End the program, in one line, when the head has not answered for HEAD_SECONDS.

    The main thread cannot: it waits for the head inside Ray's core, where no exception reaches it.
    """
    host, _, port = head.rpartition(":")
    heard = time.monotonic()
    while time.monotonic() < heard + HEAD_SECONDS:
        time.sleep(1)
        with suppress(OSError):
            socket.create_connection((host.strip("[]"), int(port)), PROBE_SECONDS).close()
            heard = time.monotonic()
    if not (ray.is_initialized() and ray.get_runtime_context().gcs_address == head):
        return  # this program has left it
    Console(stderr=True).show_cursor()  # the live table hides it
    print(
        f"error: the Ray head at {head} must answer, but has not for {HEAD_SECONDS:g} s: start it "
        "again where it ran apart from this command. Nothing is lost: the same command goes on.",
        file=sys.stderr,
        flush=True,
    )
    os._exit(1)


@contextmanager
def _silence() -> Iterator[None]:
    """Ray's core says a line a second while it cannot join, past Python; we say it in one."""
    sys.stderr.flush()
    kept = os.dup(2)
    with Path(os.devnull).open("wb") as nowhere:
        os.dup2(nowhere.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


def _check_address(address: str) -> None:
    """Say at once what Ray would find out after minutes, or not at all."""
    if address in ("auto", "local"):
        return
    host, colon, port = address.rpartition(":")
    if "/" in address or "@" in address or not colon or not port.isdigit():
        raise UsageError(
            "RAY_ADDRESS must be HOST:PORT of a Ray head (port 6379 unless it says otherwise), but "
            "is something else; to send the command to a cluster use `python -m orchestrator "
            "submit`, and unset it to run here."
        )
    try:
        socket.create_connection((host.strip("[]"), int(port)), PROBE_SECONDS).close()
    except (OSError, OverflowError) as error:
        raise UsageError(
            f"RAY_ADDRESS must be a running Ray head, but nothing answers at {address}: start it, "
            "correct the address, or unset RAY_ADDRESS to run here."
        ) from error


def _refusal(error: BaseException, address: str) -> str:
    """Why Ray could not join, in one line; Ray's own texts are long, and are not repeated."""
    texts = " ".join(str(each) for each in _causes(error))
    versions = re.findall(r"Ray: (\S+)\s+Python: (\S+)", texts)
    if len(versions) == 2:
        theirs, ours = (f"Ray {its_ray} on Python {python}" for its_ray, python in versions)
        return (
            f"the cluster and this program must run the same versions, but {address} has {theirs} "
            f"and this is {ours}: install the cluster's, or restart it with these."
        )
    if address == "auto":
        return (
            "RAY_ADDRESS=auto must find a Ray that runs on this machine, but there is none: start "
            "one with `ray start --head`, or unset RAY_ADDRESS."
        )
    if os.environ.get("RAY_AUTH_MODE") == "token":
        advice = "set RAY_AUTH_TOKEN, or ~/.ray/auth_token, to the token of the cluster"
    else:
        advice = "if the cluster asks for a token, set RAY_AUTH_MODE=token and RAY_AUTH_TOKEN"
    return f"the Ray head at {address} must let this program join, but does not: {advice}."


def _causes(error: BaseException | None) -> list[BaseException]:
    return [] if error is None else [error, *_causes(error.__cause__)]


def check_fits(resources: Resources) -> None:
    """Ray would wait for ever for a node that can hold a trial: say at once if there is none.

    Raises:
        UsageError: no living node has what one trial asks for, and none is to be started.
    """
    if resources.autoscale:
        return
    nodes = alive()
    wanted = {"CPU": resources.request["cpu"], "GPU": resources.request["gpu"]}
    if any(all(n["Resources"].get(kind, 0) >= wanted[kind] for kind in KINDS) for n in nodes):
        return
    largest = largest_node(nodes)
    if resources.packed and not largest["GPU"]:
        raise UsageError(
            "--gpus-per-trial auto must have a GPU to measure a trial on, but no node has one: "
            "leave the option out to train on CPUs."
        )
    raise UsageError(
        f"a trial must fit on one node, but asks for {wanted['CPU']:g} CPUs and "
        f"{wanted['GPU']:g} GPUs where nodes have at most {largest['CPU']:g} and "
        f"{largest['GPU']:g}: lower --cpus-per-trial, --loader-workers or --gpus-per-trial, or say "
        "--autoscale where the cluster starts larger nodes when they are asked for."
    )


def alive() -> list[dict[str, Any]]:
    """The living nodes, as Ray tells them."""
    return [node for node in ray.nodes() if node["Alive"]]


def largest_node(nodes: list[dict[str, Any]]) -> dict[str, float]:
    """The most of each resource that one of these nodes has."""
    return {kind: max((n["Resources"].get(kind, 0) for n in nodes), default=0) for kind in KINDS}


def most_cpus(nodes: list[dict[str, Any]], *, gpus: float) -> float:
    """CPUs of the largest node that has so many GPUs."""
    fitting = (n["Resources"] for n in nodes if n["Resources"].get("GPU", 0) >= gpus)
    return max((float(node.get("CPU", 0)) for node in fitting), default=0.0)


def fitted(resources: Resources) -> Resources:
    """Without the spare CPUs, where no living node has them any more: Ray would wait for ever."""
    most = most_cpus(alive(), gpus=resources.gpus) if resources.spare_cpus else math.inf
    return resources if resources.request["cpu"] <= most else replace(resources, spare_cpus=0.0)


def blame_lost_nodes(failures: dict[str, Failure], nodes: list[dict[str, Any]]) -> None:
    """After a round: trials that were cut off while a node was lost were lost with it.

    Args:
        failures: by trial id; changed in place.
        nodes: those that lived before the round.
    """
    cut_off = [trial_id for trial_id, failure in failures.items() if failure.reason == CUT_OFF]
    if cut_off and _lost_any(nodes):
        failures.update(dict.fromkeys(cut_off, Failure(Kind.NODE, LOST)))


def _lost_any(nodes: list[dict[str, Any]]) -> bool:
    """Whether one of several nodes is gone; waits for the head to notice."""
    ids = {node["NodeID"] for node in nodes}
    end = time.monotonic() + NOTICE_SECONDS if len(ids) > 1 else 0.0
    while ids <= {node["NodeID"] for node in alive()}:
        if time.monotonic() > end:
            return False
        time.sleep(1)
    return True
