"""What must hold after any fault, while the same command goes on and when it has finished."""

from collections import Counter
from pathlib import Path

import mlflow

from data_shards import files
from orchestrator.storage import Storage
from tests.faults import processes
from tests.faults.conftest import records
from tests.orchestrator.command import start
from trainables import checkpoint_names
from trainables.checkpoints import DamagedError, load

NOTHING_LOST = "othing is lost: the same command goes on"


def go_on(*arguments: str, folder: Path) -> str:
    """Run the same command again to its end: no epoch that was reported is trained again.

    Returns:
        What it printed.
    """
    command = start(*arguments, folder=folder)
    processes.wait_for_more(command, folder, 1)
    assert not retrained(folder)
    output, _ = command.communicate(timeout=300)
    assert command.returncode == 0, output
    assert "Traceback" not in output
    return output


def retrained(folder: Path) -> set[tuple[str, int]]:
    """Trials under way and their epochs that were trained again after they had been reported.

    An epoch's report stays as it first came, while a checkpoint tells how long it has taken in
    the training that goes on.
    """
    storage = Storage(str(folder / "runs"))
    return {
        (trial_id, epoch)
        for trial_id in storage.checkpoint_ids()
        for epoch, (first, now) in enumerate(
            zip(storage.reports(trial_id), _trained(storage, trial_id), strict=False), start=1
        )
        if first["seconds"] != now["seconds"]
    }


def _trained(storage: Storage, trial_id: str) -> list[dict]:
    """The reports in the newest checkpoint that can be read; a trial may be writing."""
    folder = storage.checkpoints_url(trial_id)
    for epoch in reversed(checkpoint_names.epochs(files.names(folder), "last")):
        try:
            state = load(files.join(folder, checkpoint_names.last(epoch)))
        except DamagedError:
            continue
        if state is not None:
            return state["reports"]
    return []


def checkpointed(storage: Storage, trial_id: str) -> int:
    """Epochs in a trial's newest checkpoint that can be read."""
    return len(_trained(storage, trial_id))


def runs(folder: Path) -> list[tuple[str, str]]:
    """Trial ("" for a plan's own run) and state of all runs that MLflow shows."""
    client = mlflow.MlflowClient(f"sqlite:///{folder}/mlflow.db")
    ids = [experiment.experiment_id for experiment in client.search_experiments()]
    found = client.search_runs(ids)
    return [(run.data.tags.get("vfsel.trial_id", ""), run.info.status) for run in found]


def states(folder: Path) -> set[str]:
    """Of all runs."""
    return {state for _, state in runs(folder)}


def assert_finished(folder: Path, undisturbed: dict) -> None:
    """The records are those of an undisturbed run, the books of MLflow agree, nothing is left."""
    assert records(folder / "runs") == undisturbed
    assert Counter(name for name, _ in runs(folder)) == Counter(["", *undisturbed])
    assert states(folder) == {"FINISHED"}
    storage = Storage(str(folder / "runs"))
    assert not storage.checkpoint_ids()
    assert not storage.failure_ids()
