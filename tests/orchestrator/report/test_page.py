"""The HTML page: whole, escaped, with nothing from elsewhere."""

import base64
import dataclasses
import hashlib
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from data_shards.errors import UsageError
from orchestrator import report
from orchestrator.report.contents import document
from orchestrator.report.document import Document, Section
from orchestrator.report.drawing import Picture
from orchestrator.report.grid import Grid, Head, Line
from orchestrator.report.page import page
from orchestrator.report.table import collect
from orchestrator.storage import Storage
from search_spaces.sweep import load
from tests.orchestrator.report.recorded import asked, record_all

VOID = {"meta", "img", "br", "link", "wbr"}


class _Tags(HTMLParser):
    """All tags with their attributes; fails where one is closed that is not open."""

    def __init__(self, text):
        super().__init__()
        self.found, self._open = [], []
        self.feed(text)
        assert self._open == []

    def handle_starttag(self, tag, attributes):
        self.found.append((tag, dict(attributes)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag):
        assert self._open.pop() == tag

    def all(self, tag):
        return [attributes for name, attributes in self.found if name == tag]


def _page(tmp_path, sweep="components", **question):
    storage = Storage(str(tmp_path))
    questions = [asked(sweep, dataset=dataset, **question) for dataset in ("oxford102", "cub200")]
    for each in questions:
        record_all(storage, each, {"VFSEL": [50.0]})
    return page(document(collect(questions, storage), storage))


def test_it_needs_nothing_else(tmp_path):
    text = _page(tmp_path)
    tags = _Tags(text)
    assert not re.search(r"https?:|//[a-z]|url\(|@import", re.sub(r"base64,[^\"]+", "", text))
    assert not {name for name, _ in tags.found} & {"link", "iframe", "object"}
    assert len(tags.all("script")) == 1
    assert not tags.all("script")[0]
    pictures = tags.all("img")
    assert len(pictures) == 4  # dots and learning curves of two data sets; nothing to compare
    for picture in pictures:
        content = base64.b64decode(picture["src"].removeprefix("data:image/png;base64,"))
        assert content.startswith(b"\x89PNG")
        assert "of R@1" in picture["alt"] or "of both R@1" in picture["alt"]


def test_nothing_but_its_own_style_and_script_may_run(tmp_path):
    text = _page(tmp_path)
    (policy,) = (
        tag["content"]
        for tag in _Tags(text).all("meta")
        if tag.get("http-equiv") == "Content-Security-Policy"
    )
    assert policy.startswith("default-src 'none'; img-src data:;")
    for name in ("style", "script"):
        own = re.search(rf"<{name}>(.*?)</{name}>", text, re.DOTALL)[1]
        digest = base64.b64encode(hashlib.sha256(own.encode()).digest()).decode()
        assert f"{name}-src 'sha256-{digest}'" in policy


def test_headings_are_in_order_and_each_picture_has_words(tmp_path):
    tags = _Tags(_page(tmp_path))
    levels = [int(name[1]) for name, _ in tags.found if re.fullmatch(r"h[1-6]", name)]
    assert levels[0] == 1
    assert set(levels[1:]) == {2}
    assert tags.all("html") == [{"lang": "en"}]
    assert all(len(picture["alt"]) > 20 for picture in tags.all("img"))


def _luminance(colour):
    """Of `#rrggbb` (WCAG 2.2, relative luminance)."""
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in parts]
    return sum(weight * v for weight, v in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def _contrast(one, other):
    low, high = sorted((_luminance(one), _luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
def test_contrast_of_the_palette_is_enough(theme):
    style = (Path(report.__file__).parent / "page.css").read_text()
    found = re.findall(r"--([\w-]+): light-dark\((#\w{6}), (#\w{6})\)", style)
    palette = {name: colours[theme] for name, *colours in found}
    for ground in ("ground", "raised", "warn"):
        for ink in ("ink", "quiet", "accent"):
            assert _contrast(palette[ink], palette[ground]) >= 4.5, (ink, ground)
    for ground in ("ground", "raised"):  # borders of what can be operated (WCAG 1.4.11)
        assert _contrast(palette["border"], palette[ground]) >= 3


def test_tables_are_semantic_and_scroll_in_a_box(tmp_path):
    text = _page(tmp_path)
    tags = _Tags(text)
    assert len(tags.all("main")) == 1
    assert len(tags.all("table")) == len(tags.all("caption")) == text.count('<div class="scroll"')
    assert all("scope" in head for head in tags.all("th"))
    assert "color-scheme: light dark" in text
    assert "@media print" in text
    assert 'name="viewport"' in text


def test_rows_and_heads_fill_the_same_columns(tmp_path):
    """Cells that span rows or columns count wherever they reach."""
    for table in re.findall(r"<table.*?</table>", _page(tmp_path), re.DOTALL):
        widths, down = set(), []
        for row in re.findall(r"<tr.*?</tr>", table, re.DOTALL):
            down = [rows - 1 for rows in down if rows > 1]
            width = len(down)
            for cell in re.findall(r"<t[hd][^>]*>", row):
                across = int((re.search(r'colspan="(\d+)"', cell) or [0, 1])[1])
                rows = int((re.search(r'rowspan="(\d+)"', cell) or [0, 1])[1])
                down += [rows] * across
                width += across
            widths.add(width)
        assert len(widths) == 1


def test_text_is_escaped(tmp_path):
    storage = Storage(str(tmp_path))
    question = dataclasses.replace(
        asked("loss"),
        sweep=dataclasses.replace(load("loss"), question="<script>alert(1)</script> & γ?"),
    )
    text = page(document(collect([question], storage), storage))
    assert text.count("<script") == 1  # its own
    assert "&lt;script&gt;alert(1)&lt;/script&gt; &amp; γ?" in text
    assert "photographs &amp; captions" in text


SCRIPT = "<script>alert(1)</script>\"'"


def test_a_failure_with_a_script_for_a_reason_is_escaped(tmp_path):
    storage, question = Storage(str(tmp_path)), asked("loss")
    for trial in question.plan(storage).trials:
        storage.write_failure(trial.id, {"kind": "error", "reason": SCRIPT, "time": 1.0})
    text = page(document(collect([question], storage), storage))
    assert text.count("<script") == 1  # its own
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text


def test_names_captions_and_words_of_a_picture_are_escaped():
    heads = [Head(SCRIPT, SCRIPT, SCRIPT)]
    grid = Grid("g", SCRIPT, heads, [Line(SCRIPT, [SCRIPT], SCRIPT)], [SCRIPT])
    section = Section(
        SCRIPT, [SCRIPT], [SCRIPT], [grid], [SCRIPT], [Picture("p", SCRIPT, SCRIPT, b"")]
    )
    text = page(Document(SCRIPT, [(SCRIPT, SCRIPT)], SCRIPT, [SCRIPT], [section]))
    assert text.count("<script") == 1  # its own
    assert text.count("&lt;script&gt;") >= 17
    assert [each["alt"] for each in _Tags(text).all("img")] == [SCRIPT]


def test_a_setting_with_a_script_for_a_value_is_refused():
    with pytest.raises(UsageError, match="<script>"):
        asked("loss", image_encoder=SCRIPT)
