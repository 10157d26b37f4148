"""The weights that a finished trial kept: what explains, queries or registers it begins with."""

from typing import Any

from torch import Tensor

from data_shards import files
from data_shards.errors import UsageError
from orchestrator.storage import Record, Storage
from trainables import checkpoints
from trainables.experiment import Experiment


def kept_weights(storage: Storage, record: Record, *, to: str) -> dict[str, Tensor]:
    """What training changed of VFSEL, as it was at the chosen epoch.

    Args:
        to: what for, e.g. `be explained`; for messages.

    Raises:
        UsageError: the trial is not VFSEL's, its weights were deleted, or the code has changed.
        DataError: the weights are damaged.
    """
    trial_id, experiment = record["trial_id"], Experiment.from_dict(record["experiment"])
    if experiment.trainable:
        raise UsageError(
            f"a trial must be of VFSEL to {to}, but {trial_id} is of {experiment.model}."
        )
    if experiment.trial_id != trial_id:
        raise UsageError(
            f"a trial must be of this version's components to {to}, but {trial_id} ran others: "
            "run its sweep again."
        )
    best: dict[str, Any] | None = checkpoints.load(
        files.join(storage.models_url(trial_id), "best.pt")
    )
    if best is None:
        place = files.shown(files.join(storage.url, "records", f"{trial_id}.json"))
        raise UsageError(
            f"a trial's weights must be kept in models/{trial_id}/ to {to}, but are not there: "
            f"delete {place} and run its sweep again."
        )
    found: dict[str, Tensor] = best["model"]
    return found
