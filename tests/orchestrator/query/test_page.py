"""The page in a real browser: it plays, fits a phone, and shows text as text."""

from dataclasses import replace

import pytest

from orchestrator.query import answering
from orchestrator.query import page as pages
from tests import made

HOSTILE = "</q><script>document.title='run'</script><img src=x onerror=alert(1)>"


@pytest.fixture(scope="module")
def ask(model, tones, tmp_path_factory):
    return answering.Asked(model, tones, "test", 4, tmp_path_factory.mktemp("cache"))


@pytest.fixture
def opened(page, tmp_path):
    """Shows an answer; what the console said."""

    def _opened(answer):
        said = []
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        (tmp_path / "page.html").write_text(pages.page(answer))
        page.goto((tmp_path / "page.html").as_uri())
        return said

    return _opened


def test_the_query_plays_and_every_picture_loads(ask, page, opened):
    assert opened(answering.images_for(made.flac(3, 15), ask, name="q.wav")) == []
    page.wait_for_function("document.querySelector('audio').duration > 0.5")
    widths = page.evaluate("[...document.images].map(each => each.naturalWidth)")
    assert len(widths) == 5
    assert all(widths)
    assert page.evaluate("[...document.images].every(each => each.alt)")


def test_captions_play_and_what_they_say_is_not_run(ask, page, opened):
    answer = answering.captions_for(made.jpeg(3, 15), ask, name=HOSTILE)
    hostile = [
        replace(each, class_name=HOSTILE, raw=replace(each.raw, texts=[HOSTILE] * 3))
        for each in answer.found
    ]
    assert opened(replace(answer, found=hostile)) == []
    assert page.title() == f"Captions found for {HOSTILE}"
    assert page.locator("script").count() == 0
    assert page.locator("q").first.inner_text() == HOSTILE
    page.evaluate("document.querySelectorAll('audio')[1].load()")
    page.locator("audio").nth(1).evaluate("each => each.preload = 'auto'")
    page.wait_for_function("document.querySelectorAll('audio')[1].duration > 0.2")


def test_it_fits_a_phone_light_and_dark(ask, page, opened):
    page.set_viewport_size({"width": 360, "height": 740})
    opened(answering.images_for(made.flac(3, 15), ask, name="a-long-name" * 20))
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    grounds = []
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        grounds.append(page.evaluate("getComputedStyle(document.body).backgroundColor"))
    assert grounds == ["rgb(255, 255, 255)", "rgb(20, 23, 26)"]
