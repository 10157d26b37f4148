"""MLflow's own pages in a real Chromium, on what `sync` sent to a real server."""

from pathlib import Path

import pytest

from data_shards import files
from docs.mlflow_screenshots import Pages, chromium, server
from orchestrator.planning import Question
from orchestrator.storage import Storage
from orchestrator.sync import Sync
from search_spaces.sweep import load
from tests.orchestrator.tracked import BASE, record

pytestmark = pytest.mark.slow

SEEDS = 2


@pytest.fixture(scope="module")
def filled(tmp_path_factory):
    """`sweep attention_placement` with made results."""
    if not Path("/usr/bin/chromium").exists():
        pytest.skip("needs Chromium")
    pytest.importorskip("playwright")
    folder = tmp_path_factory.mktemp("pages")
    storage = Storage(str(folder / "runs"))
    question = Question(load("attention_placement"), BASE, SEEDS, "tones")
    storage.write_plan(question.to_dict())
    for number, trial in enumerate(question.plan(storage).trials):
        record(storage, trial, 40.0 + number)
        found = storage.record(trial.id)
        found["test"]["s2i_r1"] = 30.0 + 7 * number % 11
        storage.write_record(found, {})
        files.write_atomic(f"{storage.pictures_url(trial.id)}/gradcam.png", b"drawn")
    with server(folder) as uri:
        list(Sync(storage, uri).run())
        with chromium() as browser:
            yield browser, uri


@pytest.fixture
def pages(filled):
    pages = Pages(*filled)
    yield pages
    pages.page.close()


def test_the_parents_page_says_the_answer(pages):
    pages.experiment("attention_placement")
    pages.open("attention_placement on tones")
    text = pages.page.inner_text("body")
    assert "Behind which block does image attention help" in text
    assert "Best by the selection metric: image_attention=B4 (R@1 speech→image 34.0 ± 2.8" in text
    pages.page.get_by_text("Show more").first.click()
    assert "33.5 ± 4.9" in pages.page.get_by_role("table").first.inner_text()


def test_children_are_under_their_parent_and_sort_by_recall(pages):
    pages.experiment("attention_placement")
    assert pages.runs() == ["attention_placement on tones"]
    pages.expand("attention_placement on tones")
    pages.page.get_by_role("link", name="image_attention=B3 seed=1", exact=True).wait_for()
    assert len(pages.runs()) == 1 + 3 * SEEDS
    pages.sort("test_s2i_r1")
    first = pages.page.locator("[row-index='0']").get_by_role("link", name="seed")
    first.filter(has_text="image_attention=B3 seed=1").wait_for()
    wanted = ["B3 seed=1", "none seed=1", "B4 seed=0", "B3 seed=0", "B4 seed=1", "none seed=0"]
    assert pages.runs()[:6] == [f"image_attention={each}" for each in wanted]


def test_two_runs_compared_differ_in_what_was_asked(pages):
    pages.experiment("attention_placement")
    pages.expand("attention_placement on tones")
    pages.compare("image_attention=B3 seed=0", "image_attention=none seed=0")
    rows = [row.inner_text().split() for row in pages.page.get_by_role("row").all()]
    assert ["image_attention", "B3", "none"] in rows


def test_replicates_are_grouped_into_one_bar(pages):
    pages.experiment("attention_placement")
    pages.group("image_attention")
    for level in ("none", "B3", "B4"):
        pages.page.get_by_text(f"Group: {level}").wait_for()
    pages.charts("^test_.2._r1$")
    pages.page.get_by_text("test_s2i_r1", exact=True).first.wait_for()


def test_an_artifact_opens(pages):
    pages.experiment("attention_placement")
    pages.open("attention_placement on tones")
    pages.artifact("cells.csv")
    pages.page.get_by_text("s2i_r1_mean").first.wait_for()
