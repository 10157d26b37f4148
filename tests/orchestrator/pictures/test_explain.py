"""`explain` as it is typed: paths on stdout, one line an error, exit code 2."""

import shutil
from functools import partial

import pytest
import torch

from tests import made


@pytest.fixture(scope="module")
def folder(trial, tmp_path_factory):
    """A working folder with the trial's results, in which another trial is under way."""
    folder = tmp_path_factory.mktemp("user")
    shutil.copytree(trial.storage.url, folder / "runs", ignore=shutil.ignore_patterns("cache"))
    (folder / "runs" / "reports").mkdir()
    (folder / "runs" / "reports" / "underway0000.jsonl").write_text("")
    made.make(folder / "other", per_class=5)
    return folder


@pytest.fixture
def call(call):
    """Runs `explain`: (exit code, stdout, stderr)."""
    return partial(call, "explain")


def test_it_prints_where_the_pictures_are(call, folder, trial):
    code, out, err = call(trial.id, "--data", trial.data.folder, "--out", "drawn")
    assert (code, err) == (0, "")
    assert len(out.splitlines()) == 5
    assert all((folder / line).is_file() for line in out.splitlines())
    assert all(line.startswith(f"drawn/{trial.id}/") for line in out.splitlines())


def _line(result, said):
    code, out, err = result
    assert (code, out) == (2, "")
    (line,) = err.splitlines()
    assert said in line, line


def test_an_unknown_trial_is_answered_with_a_guess(call, trial):
    near = trial.id[:-1] + ("0" if trial.id[-1] != "0" else "1")
    _line(call(near, "--data", trial.data.folder), f"Did you mean '{trial.id}'?")
    _line(call("nothing-like-it", "--data", trial.data.folder), "`plan SWEEP` shows the ids")


def test_a_trial_under_way_cannot_be_explained_yet(call, trial):
    _line(call("underway0000", "--data", trial.data.folder), "has no record yet: run its sweep")


def test_other_data_are_refused_with_the_hash_that_is_wanted(call, trial):
    _line(call(trial.id, "--data", "other"), f"tones {trial.data.manifest.hash}, but other holds")
    _line(call(trial.id), f"--data must say where the packed data are, since {trial.id} is of")


def test_trials_of_different_data_do_not_stand_side_by_side(call, folder, trial):
    text = (folder / "runs" / "records" / f"{trial.id}.json").read_text()
    for old, new in ((trial.id, "a" * 12), (trial.data.manifest.hash, "b" * 16)):
        text = text.replace(old, new)
    (folder / "runs" / "records" / f"{'a' * 12}.json").write_text(text)
    _line(call(trial.id, "a" * 12), "trials must be of the same data")


def test_out_must_be_a_folder(call, folder, trial):
    (folder / "file").write_text("")
    _line(call(trial.id, "--out", "file"), "--out must be a folder, but file is a file")


def test_mlflow_without_a_run_of_the_trial_is_said_and_the_pictures_are_there(call, trial):
    code, out, err = call(
        trial.id, "--data", trial.data.folder, "--tracking-uri", "http://127.0.0.1:9"
    )
    assert (code, len(out.splitlines())) == (0, 5)
    assert err.startswith("warning: MLflow at http://127.0.0.1:9 took no pictures: ")
    assert len(err.splitlines()) == 1


class _Evil:
    def __reduce__(self):
        return (print, ("code from the weights ran",))


def test_code_in_the_weights_is_refused_and_does_not_run(call, folder, trial):
    weights = folder / "runs" / "models" / trial.id / "best.pt"
    kept = weights.read_bytes()
    torch.save({"model": _Evil()}, weights)
    code, out, err = call(trial.id, "--data", trial.data.folder, "--out", "evil")
    weights.write_bytes(kept)
    assert (code, out) == (1, "")
    assert err.startswith("error: ")
    assert "best.pt cannot be read; delete it" in err
    assert len(err.splitlines()) == 1
