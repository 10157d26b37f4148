"""The winner of a finished sweep in MLflow's model registry: one version a trial.

A model is kept with its run and registered from there, by a client alone: MLflow's own `log_model`
works on the process' global run, which a thread in the background must leave alone.
"""

import re
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from data_shards import draws, files
from orchestrator.storage import Record, Storage
from orchestrator.version import code_version
from trainables import components
from trainables.experiment import Experiment

FOLDER = "model"
"""Of a run's artifacts."""
EXAMPLE_FRAMES = 100  # 1 s
TAG = "vfsel.trial_id"


@dataclass(frozen=True)
class Winner:
    """A trial whose chosen weights are kept."""

    storage: Storage
    record: Record
    name: str
    """What is varied, with the seed."""
    sweep: str

    @property
    def trial_id(self) -> str:
        """The trial's id."""
        return str(self.record["trial_id"])

    @property
    def model(self) -> str:
        """The registered model's name: all plans of a sweep on a data set share it."""
        return f"vfsel-{self.sweep}-{re.sub(r'[/:]', '-', self.record['dataset'])}"

    @property
    def kept(self) -> bool:
        """Whether its weights are there: they may be deleted at any time."""
        return "best.pt" in files.names(self.storage.models_url(self.trial_id))


def register(client: Any, run_id: str, winner: Winner) -> bool:
    """Register a trial's model, once; whether it was done now.

    Args:
        client: an `MlflowClient`.

    Raises:
        DataError: the weights are damaged, or a backbone's published weights cannot be had.
    """
    if not winner.kept or _is_registered(client, winner):
        return False
    with tempfile.TemporaryDirectory() as folder:
        _save(winner, Path(folder) / FOLDER)
        client.log_artifacts(run_id, str(Path(folder) / FOLDER), FOLDER)
    _ensure_model(client, winner)
    source = f"{client.get_run(run_id).info.artifact_uri}/{FOLDER}"
    client.create_model_version(
        winner.model, source, run_id, description=_about(winner), tags={TAG: winner.trial_id}
    )
    return True


def _is_registered(client: Any, winner: Winner) -> bool:
    asked = f"name = '{winner.model}' and tags.`{TAG}` = '{winner.trial_id}'"
    return bool(client.search_model_versions(asked, max_results=1))


def _ensure_model(client: Any, winner: Winner) -> None:
    if not client.search_registered_models(f"name = '{winner.model}'"):
        client.create_registered_model(
            winner.model, description=f"The best trials of the sweep {winner.sweep}, first seed."
        )


def _about(winner: Winner) -> str:
    shown = [
        f"{key} {winner.record['test'][key]:.1f} %"
        for key in ("s2i_r1", "i2s_r1")
        if key in winner.record["test"]
    ]
    oracle = " (oracle: chosen on it)" if winner.record["selection"]["split"] == "test" else ""
    return f"{winner.name} on {winner.record['dataset']}: test {', '.join(shown)}{oracle}"


def _save(winner: Winner, folder: Path) -> None:
    import mlflow.pytorch

    from orchestrator.embedder import Embedder  # torch: only where there is a model to keep
    from trainables import checkpoints

    best = checkpoints.load(files.join(winner.storage.models_url(winner.trial_id), "best.pt"))
    assert best is not None, "it was listed, and the storage is held"
    embedder = Embedder(winner.record["experiment"], best["model"])
    mlflow.pytorch.save_model(
        embedder,
        str(folder),
        signature=_signature(embedder.experiment),
        input_example=example_input(embedder.experiment),
        pip_requirements=[f"vfsel-orchestrator=={code_version().partition('+')[0]}"],
        metadata={"trial_id": winner.trial_id, "experiment": winner.record["experiment"]},
        serialization_format="pickle",  # no graph can be exported: it loops over the frames
    )


def _signature(experiment: Experiment) -> Any:
    from mlflow.models import ModelSignature
    from mlflow.types import Schema, TensorSpec

    example = example_input(experiment)
    shapes = {"pixels": (-1, *example["pixels"].shape[1:]), "lengths": (-1,)}
    shapes["frames"] = (-1, -1, example["frames"].shape[2])
    inputs = [TensorSpec(value.dtype, shapes[name], name) for name, value in example.items()]
    embedding = (-1, experiment.embedding)
    outputs = [TensorSpec(np.dtype(np.float32), embedding, name) for name in ("image", "speech")]
    return ModelSignature(Schema(inputs), Schema(outputs))


def example_input(experiment: Experiment) -> dict[str, np.ndarray]:
    """An image and a caption of noise, of the shapes and types that the model takes."""
    front = components.constant("speech_encoders", experiment.speech_encoder, "FRONT")
    width = front["width"] if front else experiment.mels
    rng = draws.rng(0, "input example")
    side = experiment.image_size
    return {
        "pixels": rng.integers(0, 256, (1, 3, side, side), dtype=np.uint8),
        "frames": rng.standard_normal((1, EXAMPLE_FRAMES, width), dtype=np.float32),
        "lengths": np.array([EXAMPLE_FRAMES]),
    }
