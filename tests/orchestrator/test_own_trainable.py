"""A trial of a trainable of one's own in Ray's class: its source, its record, after a kill."""

import hashlib
from pathlib import Path

import pytest

from data_shards.errors import DataError
from orchestrator.storage import Storage
from orchestrator.trainable import TrialRun
from tests import made
from tests.orchestrator.command import results
from trainables.own import Source, read
from trainables.presets import PRESETS

TEMPLATE = Path(__file__).parents[2] / "orchestrator" / "templates" / "trainable.py"
SOURCE = read(TEMPLATE)


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return made.make(tmp_path_factory.mktemp("data") / "tones")


def _config(data, folder, source=SOURCE):
    """A trial's config; its storage is asked and has the source."""
    storage = Storage(str(folder / "runs"))
    storage.write_plan({"plan_id": "p", "seeds": 1})
    storage.write_trainable(source)
    experiment = source.experiment(PRESETS["demo"])
    experiment = experiment.replace(batch_size=16, epochs=2, data=data.manifest.hash)
    return {
        "trial_id": experiment.trial_id, "experiment": experiment.to_dict(), "data": data.folder,
        "storage": storage.url, "cpus": 1, "gpus": 0, "workers": 0, "cache_limit": 0,
        "weights": "", "checkpoint_every": 1,
    }  # fmt: skip


def _finished(config):
    run = TrialRun({"trial": config})
    while not run.train().get("done"):
        pass
    return Storage(config["storage"])


def test_its_record_is_as_any_other(data, tmp_path):
    config = _config(data, tmp_path)
    storage = _finished(config)
    record = storage.record(config["trial_id"])
    assert record["experiment"]["trainable"] == SOURCE.reference
    assert record["experiment"]["own"] == SOURCE.defaults
    assert record["parameters"]["trained"] == (48 + 1) * 32 + (40 + 1) * 32
    assert [report["epoch"] for report in record["reports"]] == [1, 2]
    queries = storage.queries(config["trial_id"])
    assert len(queries["s2i_rank"]) == len(queries["caption_image"]) == 48
    assert len(queries["i2s_rank"]) == len(queries["image_class"]) == 24
    assert Path(storage.models_url(config["trial_id"]), "best.pt").exists()
    assert not storage.checkpoint_ids()


def test_killed_between_epochs_it_ends_with_the_same_record(data, tmp_path):
    config, cut = _config(data, tmp_path / "whole"), _config(data, tmp_path / "cut")
    TrialRun({"trial": cut}).train()
    assert Storage(cut["storage"]).checkpoint_ids() == {cut["trial_id"]}
    again = _finished(cut).record(cut["trial_id"])
    assert results(again) == results(_finished(config).record(config["trial_id"]))


def test_a_source_that_was_changed_in_the_storage_is_not_run(data, tmp_path):
    config = _config(data, tmp_path)
    kept = tmp_path / "runs" / "trainables" / f"{SOURCE.sha256}.py"
    assert hashlib.sha256(kept.read_bytes()).hexdigest() == SOURCE.sha256
    ran = tmp_path / "ran"
    kept.write_text(f"open({str(ran)!r}, 'w')\n{SOURCE.text}")
    with pytest.raises(DataError, match="must be the source of trainable, but was changed"):
        TrialRun({"trial": config})
    assert not ran.exists()
    kept.unlink()
    with pytest.raises(DataError, match="but is missing: the same `sweep` command writes it again"):
        TrialRun({"trial": config})


def test_a_model_without_weights_and_epochs_is_recorded_too(data, tmp_path, capsys):
    """Closed-form ridge regression from mean frames to mean pixels; it keeps no checkpoint."""
    source = Source("ridge", RIDGE)
    config = _config(data, tmp_path, source)
    storage = _finished(config)
    record = storage.record(config["trial_id"])
    assert record["selection"]["epoch"] == 1
    assert record["selection"]["value"] == record["reports"][0]["metrics"]["r1_sum"]
    assert not list(Path(config["storage"]).glob("models/*"))
    assert "not kept" not in capsys.readouterr().out


RIDGE = """
import torch
from data_shards.loader import image_chunks
from trainables.evaluation import places
from trainables.toolkit import Outcome, Report, features, measure

DEFAULTS = {"ridge": 1.0}


def train(settings, *, data, cache, checkpoints, device, workers):
    def load(name):
        split = features(settings, name, data=data, cache=cache, image_size=32)
        image_NC = torch.cat([c.float().mean((2, 3)) for c in image_chunks(split, 64)])
        speech = [split.frames(int(caption)).float().mean(0) for caption in split.captions]
        return split, image_NC, torch.stack(speech)

    split, image_NC, speech_MF = load("train")
    target_MC = image_NC[torch.as_tensor(places(split)["caption_image"], dtype=torch.long)]
    penalty_FF = settings["ridge"] * torch.eye(speech_MF.shape[1])
    weight_FC = torch.linalg.solve(speech_MF.T @ speech_MF + penalty_FF, speech_MF.T @ target_MC)

    def score(name):
        split, image_NC, speech_MF = load(name)
        return measure(split, image_NE=image_NC, speech_ME=speech_MF @ weight_FC)

    found, test = score("val"), score("test")
    yield Report(1, 0.0, 0.0, found.metrics, seconds=1.0, pairs_per_second=1.0)
    return Outcome(1, found.metrics["r1_sum"], test.metrics, test.queries)
"""
