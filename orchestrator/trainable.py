"""The Ray Tune side of a trial: a class trainable around `train`, its actor reused."""

import os
import platform
import socket
import time
from collections.abc import Generator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import ray
import torch
from ray import tune

from data_shards import files, manifest
from data_shards.cache_folder import cache_folder
from data_shards.errors import DataError, UsageError
from data_shards.manifest import Data
from orchestrator.gpu_packing import read_memory, start_reading
from orchestrator.storage import Storage
from orchestrator.version import code_version, package_versions
from trainables import checkpoint_names, own_training, weights
from trainables.allocator import keep_freed_memory
from trainables.experiment import Experiment
from trainables.training import Outcome, Report, train

NODE_SECONDS = 10.0
"""A node that fails at once would draw every waiting trial to itself."""
CLOCK = {"seconds", "pairs_per_second", "time"}
"""What of a report is no result."""


class TrialRun(tune.Trainable):  # type: ignore[misc]  # Ray is untyped
    """One trial a config; every step is an epoch; the last step writes the record.

    The config's `trial` holds plain values: `experiment` (dict), `data`, `storage`, `weights`
    (locations), `cpus`, `gpus`, `workers`, `cache_limit`, `checkpoint_every` (numbers). The cache
    is the node's own.
    """

    def setup(self, config: dict[str, Any]) -> None:
        self._run = _Run(config["trial"])

    def reset_config(self, new_config: dict[str, Any]) -> bool:
        self._run = _Run(new_config["trial"])
        return True

    def step(self) -> dict[str, Any]:
        return self._run.step()


class _Run:
    """A trial under way. Apart from `TrialRun`, whose base class owns many names."""

    def __init__(self, config: dict[str, Any]) -> None:
        self._device = device_of(config)
        _isolate(config, self._device)
        self._started = time.time()
        self._experiment = Experiment.from_dict(config["experiment"])
        self._storage = _storage(config["storage"])
        self._data = _data(config["data"], self._experiment.data)
        _use_weights(config["weights"])
        self._reports: list[dict[str, Any]] = []
        self._known = self._storage.reports(self._experiment.trial_id)
        self._checkpoints = self._storage.checkpoints_url(self._experiment.trial_id)
        self._training = self._start(config)

    def _start(self, config: dict[str, Any]) -> Generator[Report, None, Outcome]:
        """VFSEL's training, or that of a trainable of one's own."""
        given: dict[str, Any] = {
            "data": self._data,
            "cache": cache_folder(),
            "checkpoints": self._checkpoints,
            "device": self._device,
            "workers": config["workers"],
        }
        if self._experiment.trainable:
            source = self._storage.trainable(self._experiment.trainable)
            return own_training.train(self._experiment, source, **given)
        return train(
            self._experiment,
            **given,
            features=self._storage.features_url,
            cache_limit=config["cache_limit"],
            checkpoint_every=config["checkpoint_every"],
        )

    def step(self) -> dict[str, Any]:
        """One epoch, its report written to storage; or the end, with the record written."""
        try:
            report = asdict(next(self._training))
        except StopIteration as end:
            self._write_record(end.value)
            return {"done": True, "epoch": len(self._reports)}
        return self._keep(report)

    def _keep(self, report: dict[str, Any]) -> dict[str, Any]:
        """The report as storage holds it: an epoch that comes again stays as it first came.

        Where its results differ, as on a GPU they may, the new one counts and what followed goes.
        """
        count = len(self._reports)
        if count < len(self._known) and _results(self._known[count]) == _results(report):
            self._reports.append(self._known[count])
            return self._known[count]
        del self._known[count:]
        report["time"] = time.time()
        self._reports.append(report)
        self._storage.write_reports(self._experiment.trial_id, self._reports)
        return report

    def _write_record(self, outcome: Outcome) -> None:
        record = {
            "trial_id": self._experiment.trial_id,
            "experiment": self._experiment.to_dict(),
            "dataset": self._data.manifest.dataset,
            "selection": {
                "metric": "r1_sum",
                "split": self._experiment.selection,
                "epoch": outcome.epoch,
                "value": outcome.selection,
                "chance": self._chance(outcome.epoch),
            },
            "test": outcome.test,
            "dropped": outcome.dropped,
            "unspoken": outcome.unspoken,
            "parameters": outcome.parameters,
            "frozen": outcome.frozen,
            "reports": self._reports,
            "environment": environment(self._device),
            "seconds": time.time() - self._started,
        }
        self._keep_model(outcome.epoch)  # first: a kill in between leaves no record without it
        self._storage.write_record(record, outcome.queries)
        self._storage.remove_checkpoints(self._experiment.trial_id)

    def _chance(self, epoch: int) -> float | None:
        """Chance of the selection metric; None where nothing was held out to select on."""
        metrics = self._reports[epoch - 1]["metrics"]
        return metrics["s2i_chance"] + metrics["i2s_chance"] if metrics else None

    def _keep_model(self, epoch: int) -> None:
        """A disk without room for it costs pictures, no trial; one's own may have no weights."""
        names = files.names(self._checkpoints)
        if self._experiment.trainable and checkpoint_names.best(epoch) not in names:
            return
        try:
            self._storage.keep_model(self._experiment.trial_id, epoch=epoch)
        except (OSError, DataError) as error:
            print(f"warning: the weights of {self._experiment.trial_id} are not kept: {error}")


def _results(report: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in report.items() if name not in CLOCK}


def environment(device: str) -> dict[str, Any]:
    """Where a trial ran: recorded beside the result, never hashed into its id."""
    return {
        "python": platform.python_version(),
        **package_versions(),
        "torch": torch.__version__,  # with its build: +cpu, +cu130
        "code": code_version(),
        "host": socket.gethostname(),
        "node": ray.get_runtime_context().get_node_id(),
        "device": torch.cuda.get_device_name() if device == "cuda" else "cpu",
        "visible_gpus": os.environ.get("CUDA_VISIBLE_DEVICES", ""),  # as Ray shares them out
        "threads": torch.get_num_threads(),
        "gpu_memory": read_memory(device),
    }


def device_of(config: dict[str, Any]) -> str:
    """`cuda` for a trial with a share of a GPU: the first that Ray shows it.

    Ray hides no GPU from a trial that asked for none, so the CPU has to be named.
    """
    return "cuda" if config["gpus"] > 0 and torch.cuda.is_available() else "cpu"


def _isolate(config: dict[str, Any], device: str) -> None:
    """Nothing of the process may leak into the trial: threads, ranks, memory of an earlier one."""
    torch.set_num_threads(max(1, int(config["cpus"])))
    keep_freed_memory()
    os.environ.setdefault("PL_DISABLE_FORK", "1")  # as Tune would: Lightning must not fork here
    for name in ("RANK", "WORLD_SIZE"):  # WebDataset would drop shards (webdataset splits by rank)
        os.environ.pop(name, None)
    start_reading(device)
    if device == "cuda":  # an actor may be used again by a trial with another share
        torch.cuda.set_per_process_memory_fraction(min(1.0, float(config["gpus"])))


def _storage(url: str) -> Storage:
    """The sweep's storage, unless this node joined without seeing it: a record would be lost."""
    storage = Storage(url)
    if not storage.is_asked():
        raise _unseen("storage", url)
    return storage


def _data(location: str, data_hash: str) -> Data:
    try:
        found = manifest.load(location)
    except UsageError as error:
        raise _unseen("data", location) from error
    if found.manifest.hash != data_hash:
        raise DataError(
            f"the data must stay what they are while a sweep runs, but {files.shown(location)} "
            f"holds {found.manifest.hash} on {socket.gethostname()}, not {data_hash}: run the "
            "command again to ask of the data that are there."
        )
    return found


def _use_weights(folder: str) -> None:
    if not folder:
        return  # the node's own, or a download
    if not Path(folder).is_dir():
        raise _unseen("weights", folder)
    weights.use(folder)


class NodeError(RuntimeError):
    """This node cannot serve trials; another one can."""


def _unseen(option: str, location: str) -> NodeError:
    time.sleep(NODE_SECONDS)
    return NodeError(
        f"--{option} must be seen by every node of the cluster, but {socket.gethostname()} does "
        f"not see {files.shown(location)}: use a folder that all nodes mount"
        + ("." if option == "weights" else ", or s3://.")
    )
