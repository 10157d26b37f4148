"""A tiny trial, really trained on the tests' tones, with its record, queries and weights."""

import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

from data_shards.manifest import Data
from orchestrator.pictures.subject import Subject, find_record, subject
from orchestrator.storage import Storage
from trainables.experiment import Experiment
from trainables.training import train

TINY = Experiment(
    image_encoder="small", image_size=64, views="one", embedding=16, speech_attention_hidden=8,
    batch_size=16, epochs=1, learning_rate=1e-2,
)  # fmt: skip


def run(storage: Storage, data: Data, **changes: Any) -> str:
    """Train, and keep what a sweep's trial keeps; returns the trial's id."""
    experiment = TINY.replace(data=data.manifest.hash, **changes)
    trial_id = experiment.trial_id
    training = train(
        experiment, data=data, cache=Path(storage.url) / "cache",
        checkpoints=storage.checkpoints_url(trial_id),
    )  # fmt: skip
    reports = []
    while True:
        try:
            reports.append(asdict(next(training)) | {"time": time.time()})
        except StopIteration as end:
            outcome = end.value
            break
    storage.keep_model(trial_id, epoch=outcome.epoch)
    record = {
        "trial_id": trial_id, "experiment": experiment.to_dict(), "dataset": "tones",
        "selection": {"metric": "r1_sum", "split": experiment.selection, "epoch": outcome.epoch,
                      "value": outcome.selection},
        "test": outcome.test, "dropped": outcome.dropped, "parameters": outcome.parameters,
        "reports": reports, "environment": {}, "seconds": 1.0,
    }  # fmt: skip
    storage.write_record(record, outcome.queries)
    return trial_id


def explained(storage: Storage, data: Data, **changes: Any) -> Subject:
    """The same, ready to be drawn."""
    return subject(storage, find_record(storage, run(storage, data, **changes)), data)
