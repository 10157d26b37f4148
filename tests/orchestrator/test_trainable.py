"""What a trial's process does with its surroundings: device, memory, cache, what it must see."""

import socket
from pathlib import Path

import pytest
import torch

from data_shards.errors import DataError
from orchestrator import trainable
from orchestrator.storage import Storage
from orchestrator.trainable import TrialRun, device_of
from tests import made
from trainables import weights
from trainables.experiment import Experiment


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return made.make(tmp_path_factory.mktemp("data") / "tones")


@pytest.fixture
def config(data, tmp_path):
    """A trial's config, its storage asked."""
    storage = Storage(str(tmp_path / "runs"))
    storage.write_plan({"plan_id": "p", "seeds": 1})
    experiment = Experiment(
        image_encoder="small", image_size=64, views="one", embedding=16, batch_size=16,
        speech_attention_hidden=8, epochs=1, data=data.manifest.hash,
    )  # fmt: skip
    return {
        "trial_id": experiment.trial_id, "experiment": experiment.to_dict(), "data": data.folder,
        "storage": storage.url, "cpus": 1, "gpus": 0, "workers": 0, "cache_limit": 0,
        "weights": "", "checkpoint_every": 1,
    }  # fmt: skip


def test_the_cache_is_that_of_the_node(config, tmp_path, monkeypatch):
    monkeypatch.setenv("VFSEL_CACHE", str(tmp_path / "own"))
    assert TrialRun({"trial": config}).train()["epoch"] == 1
    assert list((tmp_path / "own").glob("*/index.json"))


@pytest.mark.parametrize("place", ["data", "storage", "weights"])
def test_a_node_that_joined_without_seeing_a_folder_says_so(config, tmp_path, place, monkeypatch):
    monkeypatch.setattr(trainable, "NODE_SECONDS", 0.0)
    config[place] = str(tmp_path / "nowhere")
    line = f"--{place} must be seen by every node .* but {socket.gethostname()} does not see"
    with pytest.raises(trainable.NodeError, match=line):
        TrialRun({"trial": config})
    assert not (tmp_path / "nowhere").exists()


def test_data_that_were_changed_meanwhile_are_refused(config):
    config["experiment"]["data"] = "another"
    with pytest.raises(DataError, match="the data must stay what they are while a sweep runs"):
        TrialRun({"trial": config})


def test_a_trial_takes_weights_from_the_folder_that_it_is_given(config, tmp_path, monkeypatch):
    monkeypatch.setenv(weights.VARIABLE, "the node's own")
    TrialRun({"trial": config})
    assert weights.path("https://x/y.pth") == Path("the node's own/y.pth")
    TrialRun({"trial": config | {"weights": str(tmp_path)}})
    assert weights.path("https://x/y.pth") == tmp_path / "y.pth"


@pytest.mark.parametrize(("gpus", "device"), [(0, "cpu"), (0.5, "cuda"), (1, "cuda")])
def test_a_trial_without_a_share_of_a_gpu_uses_none(monkeypatch, gpus, device):
    """Ray hides no GPU from a trial that asked for none."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert device_of({"gpus": gpus}) == device


@pytest.mark.parametrize(("gpus", "fraction"), [(0.25, 0.25), (1, 1.0), (2, 1.0)])
def test_the_memory_fraction_is_the_share_also_for_a_used_process(monkeypatch, gpus, fraction):
    given = []
    monkeypatch.setattr(torch.cuda, "set_per_process_memory_fraction", given.append)
    monkeypatch.setattr(trainable, "start_reading", lambda _: None)
    threads = torch.get_num_threads()
    trainable._isolate({"gpus": gpus, "cpus": 3}, "cuda")
    assert given == [fraction]
    assert torch.get_num_threads() == 3
    trainable._isolate({"gpus": gpus, "cpus": threads}, "cpu")
    assert given == [fraction]


def _finished(config):
    run = TrialRun({"trial": config})
    while not run.train().get("done"):
        pass
    storage = Storage(config["storage"])
    return storage, storage.record(config["trial_id"])


def test_a_record_has_the_chance_of_its_selection(config):
    """Three validation classes with as many images and captions each: a third, each way."""
    storage, record = _finished(config)
    assert record["selection"]["chance"] == pytest.approx(200 / 3)
    assert set(record["frozen"]) == {"image", "speech"}
    assert list(Path(storage.models_url(config["trial_id"])).iterdir())


def test_weights_that_cannot_be_kept_cost_a_warning_and_no_record(config, capsys):
    Path(config["storage"], "models").write_text("in the way")
    _, record = _finished(config)
    assert record is not None
    assert f"the weights of {config['trial_id']} are not kept" in capsys.readouterr().out


def _bare(config, known):
    """A trial's run with these reports in storage, before its first step."""
    storage = Storage(config["storage"])
    storage.write_reports(config["trial_id"], known)
    return trainable._Run(config), storage


def _report(epoch, loss=1.0, **clock):
    return {"epoch": epoch, "loss": loss, "metrics": {"r1_sum": 2.0}, "seconds": 3.0} | clock


def test_epochs_that_come_again_stay_as_they_first_came(config):
    """The file never has fewer lines than before, and is written only for what is new."""
    known = [_report(epoch, time=epoch) for epoch in (1, 2, 3)]
    run, storage = _bare(config, known)
    for epoch in (1, 2, 3):
        assert run._keep(_report(epoch, seconds=99.0)) == known[epoch - 1]
        assert storage.reports(config["trial_id"]) == known
    new = run._keep(_report(4))
    assert new["time"] > 3
    assert storage.reports(config["trial_id"]) == [*known, new]


def test_from_an_epoch_that_comes_otherwise_the_new_ones_count(config):
    known = [_report(epoch, time=epoch) for epoch in (1, 2, 3)]
    run, storage = _bare(config, known)
    run._keep(_report(1))
    second = run._keep(_report(2, loss=0.5))
    assert second["time"] > 3
    assert storage.reports(config["trial_id"]) == [known[0], second]
    third = run._keep(_report(3))
    assert storage.reports(config["trial_id"]) == [known[0], second, third]


class _Kill(BaseException):
    """No error that anybody handles."""


@pytest.mark.parametrize("before", ["keep_model", "write_record", "remove_checkpoints"])
def test_a_kill_around_the_record_loses_no_model(config, monkeypatch, before):
    def kill(*_, **__):
        raise _Kill

    with monkeypatch.context() as patch:
        patch.setattr(Storage, before, kill)
        with pytest.raises(_Kill):
            _finished(config)
    storage = Storage(config["storage"])
    if storage.record(config["trial_id"]) is None:
        _finished(config)
    assert (Path(storage.models_url(config["trial_id"])) / "best.pt").exists()


def test_a_trial_has_a_checkpoint_every_so_many_epochs_and_at_its_end(config):
    experiment = Experiment.from_dict(config["experiment"]).replace(epochs=3)
    config |= {"experiment": experiment.to_dict(), "checkpoint_every": 2}
    run, folder = TrialRun({"trial": config}), f"checkpoints/{experiment.trial_id}"
    lasts = []
    for _ in range(3):
        run.train()
        lasts.append(sorted(p.name for p in Path(config["storage"], folder).glob("last-*")))
    assert lasts == [[], ["last-00002.pt"], ["last-00002.pt", "last-00003.pt"]]
