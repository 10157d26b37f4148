"""Variables that change what a sweep does, and were perhaps set for something else."""

import os
from collections.abc import Iterator

from orchestrator import tracking_uri
from orchestrator.doctor.check import ERROR, OK, WARNING, Asked, Check

_RANKS = ("RANK", "WORLD_SIZE", "LOCAL_RANK")


def checks(asked: Asked) -> Iterator[Check]:
    """One finding for each variable that is odd, or one that none is."""
    odd = [*_ranks(), *_secure(), *_threads(), *_devices(asked), *_tracking(asked)]
    yield from odd or [Check("environment", OK, "no variable stands in the way")]


def _ranks() -> Iterator[Check]:
    if left := [name for name in _RANKS if name in os.environ]:
        yield Check(
            "environment", WARNING, f"{', '.join(left)} is left over from a distributed training",
            f"unset {' '.join(left)}: by them readers of shards skip those of other ranks",
        )  # fmt: skip


def _secure() -> Iterator[Check]:
    if os.environ.get("WDS_SECURE", "0") not in ("", "0"):
        yield Check(
            "environment", WARNING, "WDS_SECURE is set: WebDataset refuses to write shards",
            "unset it: shards are opened without WebDataset's own handlers anyway",
        )  # fmt: skip


def _threads() -> Iterator[Check]:
    threads, cores = os.environ.get("OMP_NUM_THREADS", ""), os.cpu_count() or 1
    if threads and not threads.isdigit():
        yield Check(
            "environment", ERROR, f"OMP_NUM_THREADS must be a number, but is {threads!r}",
            "unset it: Ray gives each trial as many threads as CPUs",
        )  # fmt: skip
    elif threads and int(threads) > cores:
        yield Check(
            "environment", WARNING, f"OMP_NUM_THREADS is {threads}, but there are {cores} cores",
            "unset it: Ray gives each trial as many threads as CPUs",
        )  # fmt: skip


def _devices(asked: Asked) -> Iterator[Check]:
    devices = os.environ.get("CUDA_VISIBLE_DEVICES")
    if devices is None:
        return
    names = [name.strip() for name in devices.split(",")]
    if asked.gpus and names[0] in ("", "-1", "NoDevFiles"):
        yield Check(
            "environment", ERROR,
            f"CUDA_VISIBLE_DEVICES is {devices!r}, which hides every GPU, but trials ask for one",
            "unset it",
        )  # fmt: skip
    elif len(set(names)) < len(names):
        yield Check(
            "environment", ERROR, f"CUDA_VISIBLE_DEVICES is {devices!r}, which names a GPU twice",
            "name each once: CUDA sees none otherwise",
        )  # fmt: skip


def _tracking(asked: Asked) -> Iterator[Check]:
    uri = os.environ.get("MLFLOW_TRACKING_URI")
    if uri and uri.rstrip("/") != asked.tracking_uri.rstrip("/"):
        yield Check(
            "environment", WARNING,
            f"MLFLOW_TRACKING_URI is {tracking_uri.redact(uri)}, but sweeps do not read it",
            "name the server by --tracking-uri",
        )  # fmt: skip
