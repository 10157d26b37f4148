"""Wrong calls: exit code 2 or 1, one clear line, nothing lost, no traceback."""

import json
import re
import subprocess
import sys

import pytest

from orchestrator import built_in
from search_spaces import sweep
from tests import made
from tests.orchestrator.command import TINY


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("user")
    made.make(folder / "tones")
    return folder


SWEEP = ["sweep", "gamma", "--data", "tones", *TINY]
TUNE = ["sweep", "tune", "--data", "tones", *TINY]


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["sweep", "gama"], "sweep must be one of .* Did you mean 'gamma'"),
        (["swep", "gamma"], "No such command 'swep'"),
        ([*SWEEP, "--preset", "thesi"], "Did you mean 'thesis'"),
        ([*SWEEP, "--set", "epoch=3"], "Did you mean 'epochs'"),
        ([*SWEEP, "--set", "epochs"], "--set must be FIELD=VALUE, but got 'epochs'"),
        ([*SWEEP, "--set", "epochs=many"], "epochs must be a whole number, but got 'many'"),
        ([*SWEEP, "--set", "image_encoder=resnet10"], "Did you mean 'resnet101'"),
        ([*SWEEP, "--set", "gamma=3"], "gamma must not be set"),
        (
            [*SWEEP, "--set", "loss=triplet"],
            "gamma must be set together with .*, matching",
        ),
        ([*SWEEP, "--set", "selection=last"], "selection=last has none"),
        (["sweep", "baseline", "--set", "gamma=-1"], "gamma must be > 0"),
        ([*SWEEP, "--set", "features=cashed"], "Did you mean 'cached'"),
        ([*SWEEP, "--set", "view_count=3"], "view_count must be 0 with views=one"),
        (
            [*SWEEP, "--set", "views=random", "--set", "features=cached"],
            "features=cached needs views that end, .* use --set view_count=10",
        ),
        ([*SWEEP, "--cache-limit", "0"], "--cache-limit must be > 0, but got 0"),
        (
            [*SWEEP, "--cache-limit", "1e-4", "--set", "features=cached"],
            "features=cached needs .* GB, but --cache-limit is 0.0001: raise it",
        ),
        (["data", "derive", "gama"], "sweep must be one of .* Did you mean 'gamma'"),
        (["data", "derive", "tune", "--data", "tones", *TINY], "tune is a search"),
        (["sweep", "baseline", "--set", "gamma=nan"], "gamma must be a number"),
        (["sweep", "baseline", "--set", "gamma=big"], "gamma must be a number, but got 'big'"),
        ([*SWEEP, "--set", "batch_size=61"], "number of training images, 60, but got 61"),
        ([*SWEEP, "--seeds", "0"], "--seeds must be >= 1, but got 0"),
        ([*SWEEP, "--gpus-per-trial", "-1"], "--gpus-per-trial must be >= 0, but got -1"),
        ([*SWEEP, "--gpus-per-trial", "1.5"], "--gpus-per-trial above 1 must be whole"),
        ([*SWEEP, "--cpus-per-trial", "0"], "--cpus-per-trial must be > 0"),
        ([*SWEEP, "--cpus-per-trial", "nan"], "--cpus-per-trial must be >= 0"),
        ([*SWEEP, "--max-failures", "-1"], "max-failures"),
        ([*SWEEP, "--checkpoint-every", "0"], "checkpoint-every"),
        ([*SWEEP, "--tracking-uri", "nonsense"], "tracking-uri"),
        ([*SWEEP, "--tracking-uri", "sqlite:/x.db"], "tracking-uri"),
        ([*SWEEP, "--storage", "/proc/nowhere/runs"], "--storage must be writable"),
        ([*SWEEP, "--storage", "pipe://cat"], "must be a path or one of"),
        ([*SWEEP, "--storage", ""], "--storage must be a folder or URI, but is empty"),
        ([*SWEEP, "--storage", "memory://runs"], "writable by every process of the sweep"),
        ([*SWEEP, "--cpus-per-trial", "0.00001"], "at most 4 decimals"),
        ([*TUNE, "--time-budget", "0"], "--time-budget must be > 0, .* but got '0'"),
        ([*TUNE, "--time-budget", "-3m"], "--time-budget must be > 0"),
        ([*TUNE, "--time-budget", "soon"], "--time-budget must be > 0, .* but got 'soon'"),
        ([*TUNE, "--trials", "0"], "--trials must be >= 1, but got 0"),
        ([*TUNE, "--sampler", "tpo"], "--sampler must be one of .* Did you mean 'tpe'"),
        ([*TUNE, "--pruner", "asah"], "--pruner must be one of .* Did you mean 'asha'"),
        ([*TUNE, "--also", "placement"], "--also must be one of image_attention"),
        (
            [*TUNE, "--min-epochs", "11"],
            "--min-epochs must be in 1–3, a third of a trial's epochs, but got 11",
        ),
        ([*TUNE, "--study", "../x"], "--study must be letters"),
        ([*TUNE, "--study", ".."], "--study must be letters"),
        ([*TUNE, "--seeds", "3"], "a search trains each point once, but got --seeds 3"),
        ([*TUNE, "--seed", "-1"], "seed must be >= 0"),
        ([*TUNE, "--gpus-per-trial", "auto"], "a search records none: give a number"),
        ([*TUNE, "--set", "gamma=3"], "gamma must not be set: the sweep tune searches it"),
        ([*TUNE, "--set", "selection=test"], "never on the test split"),
        (
            [*TUNE, "--set", "loss=triplet"],
            "gamma must be set together with .*, matching",
        ),
        (["plan", "tune", "--data", "tones", *TINY], "tune is a search"),
        ([*SWEEP, "--trials", "3"], "--tune-first, but gamma is none"),
        (["report", "tune", "--storage", "nowhere"], "has no study of tune"),
        (["report", "gamma", "--export-study", "sqlite:///x.db"], "--export-study is for searches"),
        (["data", "info", "tones", "--plot", "x.foo"], "--plot must end in .png"),
        (["plan", "gamma", "--data", "nowhere"], "nowhere/manifest.json does not exist"),
        (["report", "gamma", "--storage", "nowhere"], "has none of gamma"),
        (["report", "gama"], "Did you mean 'gamma'"),
        (["report", "gamma", "--out", "tones/manifest.json"], "--out must be a folder"),
        (["data", "pack", "synth", "--root", ".", "--out", "x"], "use `data synth --out DIR`"),
        (["data", "pack", "oxford"], "Missing option '--root'"),
        (["data", "pack", "oxford", "--root", ".", "--out", "x"], "Did you mean 'oxford102'"),
        (["data", "pack", "oxford102", "--root", "nowhere", "--out", "x"], "nowhere"),
        (["data", "pack", "oxford102", "--root", ".", "--out", "x", "--classes", "5"], "A-B"),
        (["data", "synth", "--out", "x", "--engine", "espek"], "Did you mean 'espeak'"),
        (["data", "info", "nowhere"], "does not exist"),
    ],
)
def test_wrong_calls_are_usage_errors_of_one_line(call, arguments, line):
    code, _, err = call(*arguments)
    assert code == 2, err
    assert re.search(line, err), err
    assert "Traceback" not in err


def test_damaged_data_is_a_failure(call, folder):
    made.make(folder / "cut")
    shard = folder / "cut" / "test-00000.tar"
    shard.write_bytes(shard.read_bytes()[:5000])
    code, _, err = call("data", "verify", "cut", "--workers", "1")
    assert code == 1
    assert "test-00000.tar" in err


def test_a_manifest_of_another_version_is_a_failure(call, folder):
    made.make(folder / "old")
    path = folder / "old" / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"schema": 7}))
    code, _, err = call("plan", "gamma", "--data", "old", *TINY)
    assert code == 1
    assert "schema version 7, but this program reads 1" in err


def _edit(folder, name, change):
    """A copy of the tones whose manifest says something else."""
    made.make(folder / name)
    path = folder / name / "manifest.json"
    value = json.loads(path.read_text())
    change(value["splits"])
    path.write_text(json.dumps(value))


def test_a_class_in_two_splits_is_a_failure(call, folder):
    _edit(folder, "overlap", lambda s: s["test"]["classes"].append(s["train"]["classes"][0]))
    code, _, err = call("plan", "gamma", "--data", "overlap", *TINY)
    assert code == 1
    assert re.search("class 1 is in .*test and train|class 1 is in train and test", err)


def test_data_without_a_test_split_is_a_failure(call, folder):
    _edit(folder, "untested", lambda splits: splits.pop("test"))
    code, _, err = call("plan", "gamma", "--data", "untested", *TINY)
    assert code == 1
    assert "must have a test split" in err


def test_the_manifest_itself_names_the_data(call, folder):
    assert call("data", "info", "tones/manifest.json", "--json")[0] == 0
    (folder / "manifest.json").write_bytes((folder / "tones" / "manifest.json").read_bytes())
    assert call("data", "info", "manifest.json", "--json")[0] == 0


def test_a_damaged_plan_is_one_line(call, folder):
    (folder / "bad" / "plans").mkdir(parents=True)
    (folder / "bad" / "plans" / "x.json").write_text("{")
    code, _, err = call("report", "gamma", "--storage", "bad")
    assert code == 1
    assert "x.json is damaged" in err


def test_json_stays_json_while_the_built_in_set_is_made(call, folder, monkeypatch):
    monkeypatch.setattr(built_in, "make", lambda out: made.make(folder / out).manifest.hash)
    code, out, err = call("plan", "gamma", "--json", *TINY)
    assert code == 0
    assert len(json.loads(out)["trials"]) == 6
    assert "Making the built-in spoken data set" in err


def test_plan_shows_what_is_to_run_and_what_is_undecided(call):
    code, out, _ = call("plan", "gamma", "--data", "tones", "--seeds", "2", *TINY)
    assert code == 0
    assert out.count("to run    gamma=") == 12
    assert "undecided     stage 2" in out
    assert "12 trials: 0 recorded in runs, 12 to run." in out


def test_list_names_everything_there_is(call):
    code, out, _ = call("list", "--json")
    found = json.loads(out)
    assert code == 0
    assert sorted(found["sweeps"]) == sweep.names()
    assert found["losses"]["matching"] == "--set gamma=13.0"
    assert "--set margin=1.0" in found["losses"]["triplet"]
    assert "oxford102" in found["datasets"]
    assert found["fields"]["gamma"] == 13.0
    assert "image_encoders:" in call("list")[1]


def test_info_prints_the_table(call):
    code, out, _ = call("data", "info", "tones", "--json")
    assert code == 0
    rows = {row["split"]: row for row in json.loads(out)["splits"]}
    assert rows["train"] == {"split": "train", "classes": 10, "images": 60, "captions": 120}
    assert rows["total"]["images"] == 102


def test_help_is_quick_and_loads_nothing_heavy():
    code = (
        "import sys; from orchestrator.cli import cli;"
        "cli.main(['--help'], standalone_mode=False);"
        "print([m for m in ('torch', 'ray', 'mlflow', 'scipy') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "sweep" in done.stdout
    assert done.stdout.endswith("[]\n")


def test_derive_tells_the_size_then_writes_each_column_once(call, monkeypatch, tmp_path):
    monkeypatch.setenv("VFSEL_CACHE", str(tmp_path))
    asked = ["data", "derive", "gamma", "--data", "tones", *TINY]
    code, told, _ = call(*asked, "--dry-run")
    assert (code, list(tmp_path.iterdir())) == (0, [])
    assert re.search(r"0.001 GB  train  image features, pixels at", told)
    assert "GB  in all" in told.splitlines()[-2]
    assert told.splitlines()[-1].startswith("features: cached, about")
    code, _, progress = call(*asked)
    assert code == 0
    assert "60/60" in progress
    written = {path: path.stat().st_mtime_ns for path in tmp_path.glob("*/*.*") if
               path.name != "index.json"}  # fmt: skip
    assert len({path.parent for path in written}) == 6  # pixels and speech of three splits
    call(*asked)
    assert written == {path: path.stat().st_mtime_ns for path in written}


def test_plan_says_how_features_are_had(call):
    asked = ["plan", "gamma", "--data", "tones", *TINY]
    assert "features: cached, about" in call(*asked)[1]
    assert "features: live, about" in call(*asked, "--cache-limit", "1e-4")[1]
