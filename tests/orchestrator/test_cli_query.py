"""`query` as it is typed: a page, or JSON; one line an error; exit code 2."""

import json
import shutil
import webbrowser
from functools import partial

import pytest

from orchestrator.storage import Storage
from tests import made
from tests.orchestrator.pictures import tiny


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A working folder with data, a trial's results, and something to ask with."""
    folder = tmp_path_factory.mktemp("user")
    trained_on = made.make(folder / "tones")
    made.make(folder / "other", per_class=5)
    tiny.run(Storage(str(folder / "runs")), trained_on)
    (folder / "q.wav").write_bytes(made.flac(3, 15))
    (folder / "q.jpg").write_bytes(made.jpeg(3, 15))
    return folder


@pytest.fixture(scope="module")
def trial(folder):
    (path,) = (folder / "runs" / "records").iterdir()
    return path.stem


@pytest.fixture
def shown(monkeypatch):
    """What a browser was asked to show."""
    urls = []
    monkeypatch.setattr(webbrowser, "open", urls.append)
    return urls


@pytest.fixture
def call(call, shown):
    """Runs `query`: (exit code, stdout, stderr)."""
    return partial(call, "query")


def test_a_recording_finds_images_as_a_page(call, folder, trial, shown):
    code, out, _ = call("--trial", trial, "--wav", "q.wav", "--data", "tones", "--out", "w.html")
    assert (code, out) == (0, "w.html\n")
    content = (folder / "w.html").read_text()
    assert content.count("data:image/jpeg;base64,") == 10
    assert content.count("<audio") == 1
    assert shown == []  # no terminal, no screen


def test_the_second_query_derives_nothing(call, trial):
    asked = ("--trial", trial, "--wav", "q.wav", "--data", "tones")
    call(*asked)
    assert call(*asked) == (0, "query.html\n", "")


def test_a_photograph_finds_captions_in_other_data(call, folder, trial):
    asked = ("--trial", trial, "--image", "q.jpg", "--data", "other", "--top", "3")
    code, out, _ = call(*asked, "--split", "val", "--out", "i.html")
    assert (code, out) == (0, "i.html\n")
    assert (folder / "i.html").read_text().count("<audio") == 3


def test_a_browser_is_opened_where_it_is_asked_for(call, folder, trial, shown):
    call("--trial", trial, "--wav", "q.wav", "--data", "tones", "--open")
    assert shown == [(folder / "query.html").as_uri()]


def test_json_is_for_machines_and_writes_no_page(call, folder, trial, shown):
    (folder / "query.html").unlink(missing_ok=True)
    asked = ("--trial", trial[:5], "--data", "tones", "--top", "2", "--json")
    code, out, _ = call(*asked, "--wav", "q.wav")
    found = json.loads(out)
    assert (code, found["trial"], found["split"], len(found["results"])) == (0, trial, "test", 2)
    assert found["results"][0].keys() == {"rank", "score", "class", "class_id", "image_id"}
    result = json.loads(call(*asked, "--image", "q.jpg")[1])["results"][0]
    assert (result["text"], result["voice"]) == (f"tone {result['class_id']}", "sine")
    assert not (folder / "query.html").exists()
    assert shown == []


def _line(result, said, code=2):
    assert result[:2] == (code, "")
    (line,) = result[2].splitlines()
    assert said in line, line


def test_a_trial_is_named_by_its_id_or_how_it_alone_begins(call, folder, trial):
    asked = ("--wav", "q.wav", "--data", "tones")
    _line(call("--trial", "nothing-like-it", *asked), "`plan SWEEP` shows the ids")
    twin = folder / "runs" / "records" / f"{trial[:4]}ffffffff.json"
    twin.write_text("{}")
    _line(call("--trial", trial[:4], *asked), f"2 begin with '{trial[:4]}'")
    _line(call(*asked), "--trial must name one trial, but 2 are in 'runs'")
    assert call("--trial", trial, *asked)[0] == 0
    twin.unlink()
    assert call(*asked)[0] == 0  # the only one needs no name


def test_without_any_trial_a_sweep_is_to_be_run(call, folder):
    asked = ("--wav", "q.wav", "--data", "tones", "--storage", "no-runs")
    _line(call(*asked), "'no-runs' has none: run a sweep first")
    assert not (folder / "no-runs").exists()


def test_one_thing_is_asked_with(call, trial):
    _line(call("--trial", trial), "--wav FILE or --image FILE")
    _line(call("--trial", trial, "--wav", "q.wav", "--image", "q.jpg"), "give one of them")


def test_data_that_are_not_built_in_must_be_named(call, trial):
    _line(call("--trial", trial, "--wav", "q.wav"), f"since {trial} is of tones")


def test_what_cannot_be_asked_with_is_said_in_one_line(call, folder, trial):
    asked = ("--trial", trial, "--data", "tones")
    _line(call(*asked, "--wav", "q.jpg"), "q.jpg is none", code=1)
    _line(call(*asked, "--image", "q.wav"), "q.wav must be a photograph", code=1)
    _line(call(*asked, "--wav", "nowhere.wav"), "--wav must be a file, but nowhere.wav is none")
    _line(call(*asked, "--wav", "q.wav", "--split", "tset"), "--split must be one of")
    _line(call(*asked, "--wav", "q.wav", "--out", "tones"), "--out must be a file that ends in")


def test_weights_that_were_deleted_are_said_with_what_to_do(call, folder, trial):
    models = folder / "runs" / "models"
    shutil.move(models, folder / "moved")
    said = f"delete runs/records/{trial}.json and run its sweep again"
    _line(call("--trial", trial, "--wav", "q.wav", "--data", "tones"), said)
    shutil.move(folder / "moved", models)
