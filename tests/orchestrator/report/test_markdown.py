"""Markdown: tables of equal width, links to files beside it."""

from orchestrator.report import write
from orchestrator.storage import Storage
from tests.orchestrator.report.recorded import asked, record_all


def _page(tmp_path, sweep, scores, **question):
    storage, found = Storage(str(tmp_path / "runs")), asked(sweep, **question)
    record_all(storage, found, scores)
    written = write([found], storage, tmp_path / "out")
    return next(path for path in written if path.suffix == ".md").read_text()


def test_every_row_is_as_wide_as_its_head(tmp_path):
    page = _page(tmp_path, "components", {"VFSEL": [50.0]})
    tables = [block for block in page.split("\n\n") if block.startswith("|")]
    assert len(tables) == 5
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
