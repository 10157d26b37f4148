"""The winner in MLflow's registry: a real trained trial, an SQLite store, a fresh process."""

import subprocess
import sys
from pathlib import Path

import mlflow
import numpy as np
import pytest
import torch

from data_shards import files
from data_shards.errors import DataError
from orchestrator import embedder
from orchestrator.pictures.subject import find_record, subject
from orchestrator.planning import Question
from orchestrator.registered import example_input
from orchestrator.storage import Storage
from orchestrator.sync import Sync
from search_spaces.sweep import load
from tests import made
from tests.orchestrator.pictures import tiny

NAME = "vfsel-baseline-tones"
FRESH = """
import sys, mlflow, numpy as np, torch
mlflow.set_tracking_uri(sys.argv[1])
model = mlflow.pytorch.load_model(f"models:/{sys.argv[2]}/1")
given = {name: torch.from_numpy(value) for name, value in np.load(sys.argv[3]).items()}
np.savez(sys.argv[4], **{name: value.numpy() for name, value in model(**given).items()})
"""


@pytest.fixture(scope="module")
def tones(tmp_path_factory):
    return made.make(tmp_path_factory.mktemp("registered") / "tones")


@pytest.fixture(scope="module")
def storage(tmp_path_factory, tones):
    """A storage in which `sweep baseline` has ended."""
    storage = Storage(str(tmp_path_factory.mktemp("registered") / "runs"))
    storage.write_plan(asked(tones).to_dict())
    (trial,) = asked(tones).plan(storage).trials
    assert tiny.run(storage, tones) == trial.id
    return storage


def asked(tones):
    base = tiny.TINY.replace(data=tones.manifest.hash)
    return Question(load("baseline"), base, 1, "tones")


@pytest.fixture(scope="module")
def uri(tmp_path_factory):
    return f"sqlite:///{tmp_path_factory.mktemp('registry')}/mlflow.db"


@pytest.fixture(scope="module")
def shipped(storage, uri):
    (shipped,) = Sync(storage, uri).run()
    return shipped


def versions(uri):
    return mlflow.MlflowClient(uri, uri).search_model_versions(f"name = '{NAME}'")


def test_once_a_winner(shipped, storage, uri):
    assert (shipped.sent.models, shipped.unregistered) == (1, "")
    (version,) = versions(uri)
    (trial_id,) = storage.record_ids()
    assert version.tags == {"vfsel.trial_id": trial_id}
    (again,) = Sync(storage, uri).run()
    assert "nothing was missing" in again.text
    assert len(versions(uri)) == 1


@pytest.mark.slow
def test_it_embeds_in_a_fresh_process_as_the_trial_does(shipped, storage, tones, uri, tmp_path):
    (trial_id,) = storage.record_ids()
    trial = subject(storage, find_record(storage, trial_id), tones)
    given = example_input(trial.experiment)
    given = {name: np.concatenate([value, value]) for name, value in given.items()}
    given["lengths"][1] = 40
    np.savez(tmp_path / "given.npz", **given)
    paths = [str(tmp_path / "given.npz"), str(tmp_path / "found.npz")]
    subprocess.run([sys.executable, "-c", FRESH, uri, NAME, *paths], check=True, timeout=300)
    found = np.load(paths[1])
    tensors = {name: torch.from_numpy(value) for name, value in given.items()}
    with torch.no_grad():
        image_BE = trial.model.embed_images(tensors["pixels"])
        speech_BE = trial.model.embed_speech(tensors["frames"], tensors["lengths"])
    np.testing.assert_array_equal(found["image"], image_BE.numpy())
    np.testing.assert_array_equal(found["speech"], speech_BE.numpy())


def test_signature_and_example(shipped, uri):
    client = mlflow.MlflowClient(uri, uri)
    folder = client.download_artifacts(versions(uri)[0].run_id, "model")
    model = mlflow.models.Model.load(folder)
    inputs = {spec.name: (spec.type.name, spec.shape) for spec in model.signature.inputs}
    assert inputs == {
        "pixels": ("uint8", (-1, 3, 64, 64)),
        "frames": ("float32", (-1, -1, tiny.TINY.mels)),
        "lengths": ("int64", (-1,)),
    }
    example = model.load_input_example(folder)
    found = embedder.load(Path(folder))(**{k: torch.from_numpy(v) for k, v in example.items()})
    outputs = {spec.name: spec.shape for spec in model.signature.outputs}
    assert outputs == {"image": (-1, 16), "speech": (-1, 16)}
    assert {name: tuple(value.shape) for name, value in found.items()} == {
        "image": (1, 16), "speech": (1, 16),
    }  # fmt: skip


class Hostile:
    def __init__(self, target):
        self.target = target

    def __reduce__(self):
        return Path.touch, (self.target,)


def test_our_loader_runs_nothing_that_a_file_asks_for(tmp_path):
    (tmp_path / "data").mkdir()
    target = tmp_path / "ran"
    torch.save(Hostile(target), tmp_path / "data" / "model.pth")
    with pytest.raises(DataError, match="must be a model of ours"):
        embedder.load(tmp_path)
    assert not target.exists()
    torch.save({"weights": torch.ones(2)}, tmp_path / "data" / "model.pth")
    with pytest.raises(DataError, match="holds a dict"):
        embedder.load(tmp_path)


@pytest.mark.slow
def test_damaged_weights_fail_nothing_but_the_model(storage, tmp_path):
    """Deleted ones are no error at all."""
    copied = f"sqlite:///{tmp_path}/mlflow.db"
    (trial_id,) = storage.record_ids()
    url = files.join(storage.models_url(trial_id), "best.pt")
    whole = files.read_bytes(url)
    try:
        files.write_atomic(url, whole[:100])
        (damaged,) = Sync(storage, copied).run()
        assert (dict(damaged.runs), damaged.sent.models) == ({"FINISHED": 1}, 0)
        assert "no registered model" in damaged.text
        assert "best.pt cannot be read" in damaged.text
        files.remove(url)
        (gone,) = Sync(storage, copied).run()
        assert "nothing was missing" in gone.text
        assert gone.unregistered == ""
    finally:
        files.write_atomic(url, whole)
    (mended,) = Sync(storage, copied).run()
    assert mended.sent.models == 1
