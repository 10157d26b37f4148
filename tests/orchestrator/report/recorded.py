"""Sweeps with hand-made records, for the tests of reports."""

from typing import Any

from data_shards.manifest import ClassCount, Data, Manifest, Shard, Split
from orchestrator.answers import DIRECTIONS
from orchestrator.headline import every
from orchestrator.planning import Question, ask
from orchestrator.storage import Storage
from search_spaces.designs import Trial
from search_spaces.sweep import Sweep, load
from trainables.presets import PRESETS

SPEECH = {"engine": "espeak", "version": "1.52", "voices": ["en-us", "en-gb"], "rate": 16000}


def asked(
    sweep: str | Sweep, *, dataset: str = "oxford102", seeds: int = 1, **settings: str
) -> Question:
    """The question put to a data set of that name: two classes, 100 images a split."""
    splits = {
        split: Split(
            [ClassCount(2 * number + i, "a", 50, 150) for i in range(2)],
            [Shard(f"{split}.tar", 100, 300, "0" * 64)],
        )
        for number, split in enumerate(("train", "val", "test"))
    }
    manifest = Manifest(dataset, "photographs & captions", {"captions": 3}, SPEECH, splits)
    return ask(
        load(sweep) if isinstance(sweep, str) else sweep, preset=PRESETS["demo"],
        settings=settings, seeds=seeds, data=Data("nowhere", manifest),
    )  # fmt: skip


def record(storage: Storage, question: Question, trial: Trial, **test: float) -> None:
    """A record of a trial; test metrics that are not given are 5."""
    names = [f"{direction}_{metric.name}" for direction in DIRECTIONS for metric in every()]
    score = test.get("s2i_r1", 5.0) + test.get("i2s_r1", 5.0)
    selection = {
        "metric": "r1_sum", "split": trial.experiment.selection, "epoch": 2, "value": score,
    }  # fmt: skip
    storage.write_record(
        {
            "trial_id": trial.id, "experiment": trial.experiment.to_dict(),
            "dataset": question.dataset, "selection": selection,
            "test": dict.fromkeys(names, 5.0) | test, "dropped": {}, "parameters": {},
            "reports": [_report(epoch, score) for epoch in (1, 2)], "seconds": 1800.0,
            "environment": {"code": "0.1.0+abc", "host": "node7", "device": "cpu", "threads": 1,
                            "python": "3.11", "torch": "2", "ray": "2"},
        },
        {},
    )  # fmt: skip


def _report(epoch: int, score: float) -> dict[str, Any]:
    return {"epoch": epoch, "loss": 3.0 / epoch, "metrics": {"r1_sum": score * epoch / 2}}


def record_all(storage: Storage, question: Question, scores: dict[str, list[float]]) -> None:
    """Records of cells by label: R@1 (both directions) a seed; what is left out is missing."""
    storage.write_plan(question.to_dict())
    for trial in question.plan(storage).trials:
        seeds = scores.get(trial.cell or "VFSEL", [])
        if trial.experiment.seed < len(seeds):
            r1 = seeds[trial.experiment.seed]
            record(storage, question, trial, s2i_r1=r1, i2s_r1=r1)
