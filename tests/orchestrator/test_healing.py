"""Files cut short: found whatever their kind, set aside, and nothing else is touched."""

import json

import numpy as np
import pytest
import torch
from PIL import Image

from data_shards import files
from data_shards.errors import DataError, NetworkError
from orchestrator.healing import damaged, heal, heal_plan
from orchestrator.planning import Question
from orchestrator.storage import Storage
from search_spaces.sweep import load
from trainables.presets import PRESETS

TRIAL, OTHER = "a" * 12, "b" * 12
REPORTS = [{"epoch": 1, "loss": 2.0}, {"epoch": 2, "loss": 1.0}]
PATHS = {
    "record": f"records/{TRIAL}.json",
    "queries": f"queries/{TRIAL}.npz",
    "reports": f"reports/{TRIAL}.jsonl",
    "failure": f"failures/{TRIAL}.json",
    "model": f"models/{TRIAL}/best.pt",
    "picture": f"pictures/{TRIAL}/gallery.png",
    "plan": "plans/p.json",
}
FOLLOWS = {
    "queries": ["record", "queries"],
    "picture": ["picture", "last picture"],
}
"""What is set aside where it is not the file alone."""


@pytest.fixture
def storage(tmp_path):
    return _filled(Storage(str(tmp_path / "runs")), tmp_path)


@pytest.fixture
def on_s3(bucket, tmp_path):
    return _filled(Storage(f"{bucket}/runs"), tmp_path)


def _filled(storage, tmp_path):
    """Two finished trials."""
    torch.save({"weights": torch.zeros(30)}, tmp_path / "best.pt")
    Image.new("RGB", (20, 20)).save(tmp_path / "drawn.png")
    storage.write_plan({"plan_id": "p", "sweep": "loss", "seeds": 1})
    for trial_id in (TRIAL, OTHER):
        _finish(storage, trial_id, tmp_path)
    return storage


def _finish(storage, trial_id, folder):
    """All that a finished trial leaves; its last try but one failed."""
    record = {"trial_id": trial_id, "selection": {"value": 1.0}, "reports": REPORTS}
    storage.write_reports(trial_id, REPORTS)
    storage.write_failure(trial_id, {"kind": "error", "reason": "why", "time": 1.0})
    storage.write_record(record, {"s2i_rank": np.arange(9)})
    files.write_atomic(f"{storage.models_url(trial_id)}/best.pt", (folder / "best.pt").read_bytes())
    for name in ("gallery.png", "gradcam.png"):
        drawn = (folder / "drawn.png").read_bytes()
        files.write_atomic(f"{storage.pictures_url(trial_id)}/{name}", drawn)


def _cut(storage, path, half):
    url = files.join(storage.url, path)
    content = files.read_bytes(url)
    files.write_atomic(url, content[: len(content) // 2 - 1] if half else b"")


def test_what_is_whole_is_left_alone(storage, capsys):
    assert heal(storage) == []
    assert "damaged" not in files.names(storage.url)
    assert capsys.readouterr().err == ""


def test_on_s3_too_all_is_found_and_set_aside(on_s3):
    assert heal(on_s3) == []
    for number, path in enumerate(PATHS.values()):
        _cut(on_s3, path, half=bool(number % 2))
    last_picture = f"pictures/{TRIAL}/gradcam.png"
    found = {damage.path for damage in heal(on_s3)}
    assert found == {*PATHS.values(), last_picture} - {PATHS["queries"], PATHS["reports"]}
    assert on_s3.record_ids() == {OTHER}
    assert heal(on_s3) == []


@pytest.mark.parametrize("half", [True, False])
@pytest.mark.parametrize("kind", PATHS)
def test_a_file_cut_short_is_set_aside_with_one_warning(storage, kind, half, capsys):
    _cut(storage, PATHS[kind], half)
    cut = files.read_bytes(files.join(storage.url, PATHS[kind]))
    moved = {PATHS.get(k, f"pictures/{TRIAL}/gradcam.png") for k in FOLLOWS.get(kind, [kind])}
    assert {damage.path for damage in damaged(storage)} == moved
    assert {damage.path for damage in heal(storage)} == moved
    warnings = capsys.readouterr().err.splitlines()
    assert len(warnings) == len(moved)
    assert all(
        line.startswith("warning: ") and "set aside in damaged/" in line for line in warnings
    )
    assert files.read_bytes(files.join(storage.url, "damaged", PATHS[kind])) == cut
    assert damaged(storage) == []
    assert OTHER in storage.record_ids()
    assert (TRIAL in storage.record_ids()) == (PATHS["record"] not in moved)
    assert storage.reports(TRIAL) == (REPORTS if kind != "record" else storage.reports(OTHER))


def test_a_record_without_its_queries_is_set_aside(storage):
    files.remove(files.join(storage.url, PATHS["queries"]))
    assert [damage.path for damage in heal(storage)] == [PATHS["record"]]


def test_a_network_that_is_away_is_no_damage(storage, monkeypatch):
    def away(_):
        raise NetworkError("no answer")

    with monkeypatch.context() as patch:
        patch.setattr(storage, "record", away)
        with pytest.raises(NetworkError):
            heal(storage)
    assert storage.record_ids() == {TRIAL, OTHER}


def test_only_the_trials_asked_for_are_looked_at(storage):
    _cut(storage, PATHS["record"], half=True)
    assert heal(storage, [OTHER]) == []
    assert TRIAL in storage.record_ids()


def test_without_its_record_the_whole_lines_of_its_reports_count(storage):
    files.remove(files.join(storage.url, PATHS["record"]))
    _cut(storage, PATHS["reports"], half=False)
    assert heal(storage) == []
    assert storage.reports(TRIAL) == []
    files.write_atomic(files.join(storage.url, PATHS["reports"]), b'{"epoch": 1}\n{"epo')
    assert storage.reports(TRIAL) == [{"epoch": 1}]


def test_who_only_reads_is_told_that_the_sweep_mends_it(storage):
    _cut(storage, PATHS["record"], half=True)
    _cut(storage, PATHS["queries"], half=True)
    for read in (storage.record, storage.queries):
        with pytest.raises(DataError, match="the same `sweep` command") as caught:
            read(TRIAL)
        assert "\n" not in str(caught.value)


def test_a_second_damage_of_a_file_is_set_aside_too(storage):
    for _ in range(2):
        _cut(storage, PATHS["model"], half=False)
        heal(storage)
        files.write_atomic(files.join(storage.url, PATHS["model"]), b"anew")
    assert files.names(files.join(storage.url, "damaged", "models", TRIAL)) == ["best.pt"]


def test_a_plan_with_stages_is_healed_stage_by_stage(tmp_path):
    """γ's second stage is known once the first is recorded, whose damage hides it."""
    storage = Storage(str(tmp_path))
    sweep = load("gamma")
    question = Question(sweep, sweep.base(PRESETS["demo"], {}), 1, "tones")
    stages, known = [], set()
    while len(stages) < 2:
        new = [t.id for t in question.plan(storage).trials if t.id not in known]
        stages.append(new)
        known.update(new)
        for number, trial_id in enumerate(new):
            record = {"trial_id": trial_id, "selection": {"value": float(number)}, "reports": []}
            storage.write_record(record, {"s2i_rank": np.arange(9)})
    late = stages[1][0]
    _cut(storage, f"records/{late}.json", half=True)
    assert [damage.path for damage in heal_plan(question, storage)] == [f"records/{late}.json"]
    early = stages[0][0]
    (tmp_path / "records" / f"{early}.json").write_text(json.dumps(["no record"]))
    assert [damage.path for damage in heal_plan(question, storage)] == [f"records/{early}.json"]
