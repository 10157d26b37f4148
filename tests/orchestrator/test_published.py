"""Weights that a plan needs are missed before anything is scheduled."""

import os

import pytest

from data_shards.errors import DataError
from orchestrator.published import check
from trainables import weights
from trainables.experiment import Experiment

SMALL = Experiment(image_encoder="small")


@pytest.fixture(autouse=True)
def _environment(monkeypatch):
    monkeypatch.setenv(weights.VARIABLE, "")  # and is as it was afterwards


@pytest.mark.parametrize(
    ("changes", "what"),
    [({"image_encoder": "resnet18"}, "resnet18"), ({"speech_encoder": "hubert"}, "HUBERT_BASE")],
)
def test_a_missing_file_is_one_line(tmp_path, changes, what):
    with pytest.raises(DataError, match=f"{what}.* must be at {tmp_path}") as said:
        check([SMALL, SMALL.replace(**changes)], weights=str(tmp_path))
    assert "\n" not in str(said.value)


def test_what_needs_no_file_needs_no_folder(tmp_path):
    check([SMALL], weights=str(tmp_path))
    check([Experiment()], weights="")  # a node may download what this machine cannot
    assert os.environ[weights.VARIABLE] == str(tmp_path)
