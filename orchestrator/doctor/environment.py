"""Environment variables that change what a sweep does, and are easily forgotten."""

import os
from collections.abc import Iterator

from data_shards.cache_folder import shard_limit
from data_shards.errors import UsageError
from orchestrator.doctor.check import Asked, Check, error, ok, warning

_LAUNCHER = ("RANK", "WORLD_SIZE", "LOCAL_RANK")


def checks(asked: Asked) -> Iterator[Check]:
    """Only what is wrong, or one line that nothing is."""
    found = [*_left_over(), *_threads(), *_gpus(asked), *_cache(), *_mlflow(asked)]
    yield from found or [ok("environment", "nothing in it disturbs a sweep")]


def _left_over() -> Iterator[Check]:
    if names := [name for name in _LAUNCHER if name in os.environ]:
        text = f"{', '.join(names)} are left of a launcher: WebDataset drops shards by them"
        yield warning("environment", text, "unset them; trials ignore them, other tools do not")
    if os.environ.get("WDS_SECURE", "0") not in ("", "0"):
        text = "with WDS_SECURE WebDataset refuses to write shards"
        yield warning("environment", text, "unset it: pipe: and pickles are refused without it")


def _threads() -> Iterator[Check]:
    text, have = os.environ.get("OMP_NUM_THREADS"), os.cpu_count() or 1
    if text is None:  # Ray sets it for each trial to the CPUs it was given
        return
    if not (text.isdigit() and int(text) > 0):
        yield error("environment", f"OMP_NUM_THREADS is {text!r}", "give a whole number > 0")
    elif int(text) > have:
        text = f"OMP_NUM_THREADS={text} on {have} CPUs makes threads wait for each other"
        yield warning("environment", text, "unset it: each trial gets as many as its CPUs")


def _gpus(asked: Asked) -> Iterator[Check]:
    text = os.environ.get("CUDA_VISIBLE_DEVICES")
    if text is None:
        return
    devices = [device.strip() for device in text.split(",")]
    if asked.resources.gpus and devices[0] in ("", "-1", "NoDevFiles"):
        text = f"CUDA_VISIBLE_DEVICES={text!r} hides every GPU, and a trial asks for one"
        yield error("environment", text, "unset it, or leave out --gpus-per-trial")
    elif len(set(devices)) < len(devices):
        text = f"CUDA_VISIBLE_DEVICES={text!r} names a GPU twice"
        yield warning("environment", text, "name each once")


def _cache() -> Iterator[Check]:
    try:
        shard_limit()
    except UsageError as problem:
        yield error("environment", str(problem))


def _mlflow(asked: Asked) -> Iterator[Check]:
    if os.environ.get("MLFLOW_TRACKING_URI", asked.tracking_uri) != asked.tracking_uri:
        text = "MLFLOW_TRACKING_URI is another place than --tracking-uri, which alone counts"
        yield warning("environment", text, "give --tracking-uri, or unset the variable")
