"""What every Tuner of ours has in common: nothing is kept by Tune, a trial is plain values."""

import tempfile
from typing import Any

from ray import tune

from data_shards import files
from data_shards.manifest import Data
from orchestrator.resources import Resources
from orchestrator.storage import Storage
from search_spaces.designs import Trial


def round_folder() -> "tempfile.TemporaryDirectory[str]":
    """Where Tune keeps its own files of a round.

    When it is interrupted it may write a moment longer: that must not hide the interruption.
    """
    return tempfile.TemporaryDirectory(prefix="vfsel-tune-", ignore_cleanup_errors=True)


def run_config(folder: str, callback: tune.Callback) -> tune.RunConfig:
    """Tune's own files go to a temporary folder; a failed trial is left to the next round."""
    return tune.RunConfig(
        name="round",
        storage_path=folder,
        verbose=0,
        callbacks=[callback],
        failure_config=tune.FailureConfig(max_failures=0),
        checkpoint_config=tune.CheckpointConfig(checkpoint_at_end=False),
    )


def trial_config(
    trial: Trial, *, data: Data, storage: Storage, resources: Resources
) -> dict[str, Any]:
    """What `TrialRun` gets: plain values, locations that hold from any working folder."""
    return {
        "trial_id": trial.id,
        "experiment": trial.experiment.to_dict(),
        "data": files.absolute(data.folder),
        "storage": files.absolute(storage.url),
        "cpus": resources.cpus_per_trial,
        "gpus": resources.gpus,
        "request": resources.request,
        "workers": resources.loader_workers,
        "checkpoint_every": resources.checkpoint_every,
        "cache_limit": int(resources.cache_limit * 1e9),
        "weights": resources.weights and files.absolute(resources.weights),
    }


class Configs(list[dict[str, Any]]):
    """The values of a `grid_search` over trials.

    Tune copies the whole list, deeply, for every trial: 8 ms a trial at 100, 80 ms at 1,000.
    Nobody changes it, so its copy may be itself.
    """

    def __deepcopy__(self, memo: dict[int, Any]) -> "Configs":
        return self


def request(config: dict[str, Any]) -> tune.PlacementGroupFactory:
    """What Ray reserves for a trial, from its config."""
    asked = config["trial"]["request"]
    return tune.PlacementGroupFactory([{"CPU": asked["cpu"], "GPU": asked["gpu"]}])
