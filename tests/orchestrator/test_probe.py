"""A probe on real data, beside what trials really take."""

import json
from pathlib import Path

import pytest

from orchestrator import probe as probing
from orchestrator.costs import CHECKPOINTS, MODEL, kind_of
from orchestrator.estimates import trained
from orchestrator.planning import ask
from orchestrator.probe import part_of, probe
from orchestrator.resources import Resources
from orchestrator.storage import Storage
from search_spaces.sweep import load
from tests import made
from tests.orchestrator.command import TINY, run
from trainables.presets import PRESETS
from trainables.training import train

SETTINGS = dict(part.split("=") for part in TINY[1::2])


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return made.make(tmp_path_factory.mktemp("user") / "tones")


def _experiments(data, tmp_path, name="loss"):
    question = ask(load(name), preset=PRESETS["demo"], settings=SETTINGS, seeds=2, data=data)
    return [trial.experiment for trial in question.plan(Storage(str(tmp_path / "runs"))).trials]


def test_a_part_has_the_same_share_of_every_split(data):
    part = part_of(data, images=20)  # of 60 in 6 shards; val has 2 and test 3
    counts = {name: len(split.shards) for name, split in part.manifest.splits.items()}
    assert counts == {"train": 2, "val": 1, "test": 1}
    assert part_of(data, images=1000) == data


def test_each_kind_is_probed_once_and_nothing_is_left(data, tmp_path, monkeypatch):
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(temporary))
    experiments = _experiments(data, tmp_path)
    found = probe(experiments, data, Resources(), None)
    assert set(found.by_kind) == {kind_of(one) for one in experiments}
    assert len(found.by_kind) == 2
    assert all(
        cost.epoch > 0 and cost.setup > 0 and cost.trained for cost in found.by_kind.values()
    )
    assert list(temporary.glob("vfsel-*")) == []
    assert not (tmp_path / "runs").exists()


def test_beyond_the_cap_a_kind_counts_as_the_dearest(data, tmp_path, monkeypatch):
    monkeypatch.setattr(probing, "MOST", 1)
    first, *_, last = _experiments(data, tmp_path)
    found = probe([first, last], data, Resources(), None)
    assert list(found.by_kind) == [kind_of(first)]
    assert found.of(last) is None
    assert found.price(last) == found.price(first)


def test_bytes_of_models_and_checkpoints_are_those_of_files(data, tmp_path):
    experiment = _experiments(data, tmp_path)[0].replace(epochs=4, embedding=64)
    place, sizes = tmp_path / "checkpoints", [0]
    training = train(experiment, data=data, cache=tmp_path / "cache", checkpoints=str(place))
    while True:
        try:
            next(training)
        except StopIteration as end:
            count = trained(end.value.parameters)
            break
        sizes.append(sum(file.stat().st_size for file in Path(place).iterdir()))
    best = next(place.glob("best-*")).stat().st_size
    assert best == pytest.approx(MODEL * count, rel=0.15)  # names, running statistics
    assert max(sizes) == pytest.approx(CHECKPOINTS * count, rel=0.3)


@pytest.mark.slow
def test_a_probe_is_within_a_factor_of_two_of_the_sweep(data, tmp_path):
    made.make(tmp_path / "tones")
    asked = ["baseline", "--data", "tones", *TINY, "--set", "epochs=20"]
    plan = run("plan", *asked, "--probe", "--json", folder=tmp_path)
    told = json.loads(plan.stdout)["estimate"]["seconds"]
    done = run("sweep", *asked, folder=tmp_path, timeout=900)
    assert done.returncode == 0, done.stderr
    storage = Storage(str(tmp_path / "runs"))
    took = sum(
        r["seconds"] for r in storage.records(storage.record_ids(), keep=["seconds"]).values()
    )
    assert told / 2 < took < told * 2
