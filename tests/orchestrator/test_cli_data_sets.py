"""`--data`, several times: a sweep of several data sets, each asked and answered by itself."""

import dataclasses
import json

import pytest

from orchestrator.cli.data_sets import place
from tests import made
from tests.orchestrator.command import TINY, run


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Two packed data sets that call themselves oxford102 and cub200."""
    folder = tmp_path_factory.mktemp("user")
    for name, per_class in (("oxford102", 6), ("cub200", 7)):
        data = made.make(folder / name, per_class=per_class)
        manifest = dataclasses.replace(data.manifest, dataset=name)
        (folder / name / "manifest.json").write_text(manifest.to_json())
    return folder


BOTH = ["--data", "oxford102=oxford102", "--data", "cub200=cub200", *TINY]


def test_a_place_may_be_named():
    assert place("oxford102=/data/flowers") == "/data/flowers"
    assert place("s3://bucket/a=b") == "s3://bucket/a=b"
    assert place("cub200") == "cub200"


def test_the_plan_is_that_of_both(folder):
    done = run("plan", "components", *BOTH, "--json", folder=folder)
    first, second = json.loads(done.stdout)
    assert (first["dataset"], second["dataset"]) == ("oxford102", "cub200")
    ids = [{trial["id"] for trial in plan["trials"]} for plan in (first, second)]
    assert [len(trials) for trials in ids] == [5, 5]
    assert not ids[0] & ids[1]


@pytest.mark.slow
def test_a_sweep_of_both_is_answered_for_each(folder):
    arguments = ["sweep", "baseline", *BOTH, "--set", "epochs=1", "--set", "selection=last"]
    done = run(*arguments, "--json", folder=folder)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert [answer["dataset"] for answer in found] == ["oxford102", "cub200"]
    assert all(answer["best"]["test"]["s2i_r1"] >= 0 for answer in found)
    again = run(*arguments, folder=folder)
    assert again.returncode == 0
    assert "[oxford102]" in again.stdout
    assert "[cub200]" in again.stdout


@pytest.mark.parametrize(
    ("data", "line"),
    [
        (["cub200=oxford102"], "--data cub200=… must be a packed cub200, but oxford102 holds"),
        (["oxford102", "oxford102=oxford102"], "must name each data set once, but got oxford102 2"),
        (["oxford102", "cub200=nowhere"], "nowhere/manifest.json does not exist"),
    ],
)
def test_wrong_data_sets_are_one_line(folder, data, line):
    options = [text for one in data for text in ("--data", one)]
    done = run("plan", "components", *options, *TINY, folder=folder)
    assert done.returncode == 2
    assert line in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_a_search_takes_one_data_set(folder):
    done = run("sweep", "tune", *BOTH, folder=folder)
    assert done.returncode == 2
    assert "this takes one data set, but got --data 2 times" in done.stderr
