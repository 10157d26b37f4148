"""A search's report: files that say the same, in a browser too, and the command that asks again."""

import shlex

import pytest

from orchestrator.cli import cli
from orchestrator.cli.searches import check, take
from orchestrator.search.answers import SearchAnswer
from orchestrator.search.contents import document
from orchestrator.search.pictures import FEWEST, importance
from orchestrator.search.report import write
from orchestrator.search.study import FAIL, Entry, frozen_study
from orchestrator.storage import Storage
from tests.orchestrator.search.objective import question, searched

ASKED = {"sampler": "random", "pruner": "none", "also": ("image_attention",)}


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    """A finished search, and the files of its report."""
    folder = tmp_path_factory.mktemp("search")
    study = searched(folder / "runs", FEWEST, **ASKED)
    files = write(study.question, Storage(str(folder / "runs")), folder / "out")
    return SearchAnswer(study.question, study.books), files


def test_the_files_written_are_those_that_are_there(found):
    _, files = found
    assert sorted(files) == sorted(files[0].parent.iterdir())
    page = next(path for path in files if path.suffix == ".md").read_text()
    pictures = [path.name for path in files if path.suffix == ".png"]
    assert len(pictures) == 6
    assert all(f"]({name})" in page for name in pictures)


def test_pictures_of_an_earlier_report_do_not_stay(tmp_path):
    study = searched(tmp_path / "runs", 1, **ASKED)
    stale = tmp_path / "out" / f"tune-{study.question.study_id}-contour.png"
    stale.parent.mkdir()
    stale.write_bytes(b"old")
    write(study.question, Storage(str(tmp_path / "runs")), tmp_path / "out")
    assert not stale.exists()


def test_the_command_asks_the_same_search(found, tmp_path):
    answer, _ = found
    report = document(answer, Storage(str(tmp_path)), {}, [])
    line, _ = report.sections[-1].commands
    words = shlex.split(line)[3:]
    name, command, rest = cli.resolve_command(cli.make_context("vfsel", words), words)
    options = command.make_context(name, list(rest)).params
    given = take(options)
    assert given["trials"] == FEWEST
    asked = check(
        given, name=options["name"], preset=options["preset"], settings=options["settings"], seeds=1
    )
    again = question(**{key: asked[key] for key in ("sampler", "pruner", "also")})
    assert again.study_id == answer.question.study_id
    assert asked["min_epochs"] == answer.question.min_epochs


def test_failures_and_what_is_best_are_said(tmp_path):
    asked = question()
    point = {"gamma": 13.0, "learning_rate": 0.001, "weight_decay": 0.0001}
    books = [
        Entry(0, point, "COMPLETE", {1: 40.0, 2: 52.5}),
        Entry(1, point, FAIL, {1: 41.0}, reason="the loss must be finite"),
    ]
    report = document(SearchAnswer(asked, books), Storage(str(tmp_path)), {}, [])
    assert "validation R@1 sum 52.5 (trial 0)" in report.answers[0][1]
    sections = {section.heading: section for section in report.sections}
    assert sections["What failed"].points == ["Trial 1 failed: the loss must be finite."]
    (measuring,) = sections["How to measure what was found"].commands
    assert measuring.startswith("python -m orchestrator sweep point ")
    (grid,) = sections["Every trial"].grids
    assert grid.lines[1].cells == ["13", "0.001", "0.0001", "1", "41.00", "fail"]


def test_importance_is_in_the_table(found):
    answer, _ = found
    shares = importance(frozen_study(answer.question, list(answer.books)))
    (grid,) = document(answer, Storage("x"), shares, []).sections[0].grids
    assert sum(float(line.cells[-1]) for line in grid.lines) == pytest.approx(1, abs=0.03)


def test_the_page_is_quiet_and_its_trials_can_be_sorted(found, page):
    _, files = found
    said, address = [], next(path for path in files if path.suffix == ".html").as_uri()
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.goto(address)
    score = page.get_by_role("columnheader", name="R@1 sum, validation")
    score.get_by_role("button").click()
    cells = page.locator("table.sortable tbody td:nth-of-type(6)").all_inner_texts()
    assert [float(cell) for cell in cells] == sorted(float(cell) for cell in cells)
    assert page.locator("img").count() == 6
    assert said == []
