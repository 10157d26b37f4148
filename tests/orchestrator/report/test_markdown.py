"""Markdown: tables of equal width, links to files beside it."""

import pytest

from orchestrator.report import write
from orchestrator.report.document import Document, Section
from orchestrator.report.drawing import Picture
from orchestrator.report.grid import Grid, Head, Line
from orchestrator.report.markdown import escape, markdown
from orchestrator.report.sound import Sound
from tests.orchestrator.report.recorded import asked, record_all


def _page(tmp_path, sweep, scores, **question):
    storage, found = Sound(str(tmp_path / "runs")), asked(sweep, **question)
    record_all(storage, found, scores)
    written = write([found], storage, tmp_path / "out")
    return next(path for path in written if path.suffix == ".md").read_text()


def test_every_row_is_as_wide_as_its_head(tmp_path):
    page = _page(tmp_path, "components", {"VFSEL": [50.0]})
    tables = [block for block in page.split("\n\n") if block.startswith("|")]
    assert len(tables) >= 6
    for table in tables:
        assert len({line.count("|") for line in table.splitlines()}) == 1


def test_words_of_a_row(tmp_path):
    page = _page(tmp_path, "loss", {"loss=matching": [50.0]})
    assert "| loss=matching | here | 1 | 50.00 | 5.00 | 50.00 | 5.00 |" in page
    assert "| loss=triplet | here | 0 of 1 seeds | missing | missing |" in page
    assert "speech→image mAP@50 (thesis)" in page
    assert "1 of 2 trials are missing" in page


def test_an_undecided_stage_and_one_seed_are_said(tmp_path):
    page = _page(tmp_path, "gamma", {"gamma=1": [50.0]})
    assert "still undecided: stage 2" in page
    assert "One seed: differences may be noise" in page


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("<script>x</script>", "&lt;script&gt;x&lt;/script&gt;"), ("a|b", "a&#124;b"),
        ("`rm`", "&#96;rm&#96;"), ("[x](http://y)", r"\[x\](http://y)"), ("*a*", r"\*a\*"),
        ("\\[", r"\\\["), ("&lt;", "&amp;lt;"), ("a\n\n# b", "a # b"), ("a_b γ=13", "a_b γ=13"),
    ],
)  # fmt: skip
def test_escape(text, shown):
    assert escape(text) == shown


def test_nothing_in_a_report_becomes_markup():
    evil = "<script>`x`</script>|[a](b)\n\n# c"
    grid = Grid("g", evil, [Head(name=evil, group=evil)], [Line(evil, [evil])], notes=[evil])
    section = Section(evil, [evil], [evil], [grid], pictures=[Picture("p", evil, evil, b"")])
    page = markdown(Document(evil, [(evil, evil)], evil, [evil], [section]), lambda _: "p.png")
    assert page.count("&lt;script&gt;") == 16
    for sign in ("<", "`", "](b)", "\n# c"):
        assert sign not in page.replace(r"\](b)", "")
    widths = {line.count("|") for line in page.splitlines() if line.startswith("|")}
    assert widths == {3}
