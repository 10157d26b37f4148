"""`--weights` as a user types it, down to the process of a trial; `list --models`."""

import hashlib
import json
from types import SimpleNamespace

import pytest

from data_shards.errors import DataError, UsageError
from orchestrator.cli import cli
from orchestrator.resources import Resources
from orchestrator.storage import Storage
from orchestrator.tuner_settings import trial_config
from search_spaces.designs import Trial
from tests import made
from tests.orchestrator.command import TINY
from tests.trainables import made_weights
from trainables import weights
from trainables.experiment import Experiment
from trainables.image_encoders import resnet18

LASTING = ["--storage", "s3://bucket/runs", "--tracking-uri", "http://127.0.0.1:5000"]
RESNET = ["--set", "image_encoder=resnet18", "--set", "views=one"]


def main(*arguments):
    """The command in this process."""
    cli.main([*map(str, arguments)], standalone_mode=False)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder with data, and with ResNet-18's weights, which torch.hub does not find."""
    monkeypatch.chdir(tmp_path)
    made.make(tmp_path / "tones", per_class=2)
    made_weights.lay("resnet18", monkeypatch, tmp_path / "home")
    laid = weights.path(made_weights.url("resnet18"))
    (tmp_path / "by hand").mkdir()
    laid.rename(tmp_path / "by hand" / laid.name)
    monkeypatch.setenv(weights.VARIABLE, "")  # and is as it was afterwards
    monkeypatch.setenv("VFSEL_CACHE", str(tmp_path / "cache"))
    return tmp_path


def test_derive_says_which_file_it_did_not_find(folder):
    asked = ["data", "derive", "baseline", "--data", "tones", *TINY, *RESNET]
    (folder / "empty").mkdir()
    with pytest.raises(DataError, match="weights of resnet18 must be at empty/resnet18-") as said:
        main(*asked, "--weights", "empty")
    assert "\n" not in str(said.value)
    assert "there is no such file" in str(said.value)


def test_derive_checks_the_hash_of_what_it_found(folder):
    """Random weights are not ImageNet's, whose name they bear."""
    asked = ["data", "derive", "baseline", "--data", "tones", *TINY, *RESNET]
    with pytest.raises(DataError, match="SHA-256 must begin with f37072fd, but begins with"):
        main(*asked, "--weights", "by hand")


def test_derive_takes_the_weights_that_lie_there(folder, monkeypatch):
    (laid,) = (folder / "by hand").iterdir()
    digest = hashlib.sha256(laid.read_bytes()).hexdigest()
    named = laid.rename(laid.with_name(f"resnet18-{digest[:8]}.pth"))
    published = SimpleNamespace(url=f"https://example.org/{named.name}")
    monkeypatch.setattr(resnet18, "WEIGHTS", published)
    main("data", "derive", "baseline", "--data", "tones", *TINY, *RESNET, "--weights", "by hand")
    assert len(list((folder / "cache").glob("*/*"))) > 3
    assert not list(folder.glob("home/**/*.pth"))


def test_without_the_option_the_environment_says_where(folder, monkeypatch):
    monkeypatch.setenv(weights.VARIABLE, "by hand")
    asked = ["data", "derive", "baseline", "--data", "tones", *TINY, *RESNET]
    with pytest.raises(DataError, match="weights of resnet18 must be at by hand/resnet18-"):
        main(*asked)


@pytest.mark.parametrize("command", [["sweep", "gamma"], ["data", "derive", "gamma"]])
@pytest.mark.parametrize(
    ("given", "line"),
    [
        ("nowhere", "--weights must be a folder of weight files, but nowhere is none"),
        ("s3://bucket/w", "--weights must be a folder, but got 's3://bucket/w'"),
    ],
)
def test_what_is_no_folder_is_refused(tmp_path, monkeypatch, command, given, line):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match=line):
        main(*command, "--weights", given)
    assert not list(tmp_path.iterdir())


def test_a_job_gets_a_folder_that_every_node_sees():
    with pytest.raises(UsageError, match="--weights must be an absolute path that every node sees"):
        main("submit", "gamma", *LASTING, "--weights", "by-hand")


def test_a_trial_gets_the_folder_from_any_working_folder(folder):
    data, storage = made.load(str(folder / "tones")), Storage(str(folder / "runs"))
    trial = Trial(Experiment(data=data.manifest.hash), {})
    for given, expected in ((Resources(weights="by hand"), folder / "by hand"), (Resources(), "")):
        config = trial_config(trial, data=data, storage=storage, resources=given)
        assert config["weights"] == str(expected)


def test_the_encoders_are_listed_with_their_parameters(capsys):
    main("list", "--models", "--json")
    found = json.loads(capsys.readouterr().out)
    assert found["image_encoders"]["resnet18"]["backbone"] == 11_176_512
    main("list", "--models")
    lines = capsys.readouterr().out.splitlines()
    (row,) = [line.split() for line in lines if line.startswith("  resnet101 ")]
    assert row == ["resnet101", "42,500,160", "46,831,778", "4,331,618", "42,500,160"]
