"""Files of a report: one for all data sets of a question, its name the same whatever they are."""

import pytest

from orchestrator.planning import asked_before
from orchestrator.report import report_id, together, write
from orchestrator.report.sound import Sound
from tests.orchestrator.report.recorded import asked, record_all


def test_questions_that_differ_in_their_data_alone_are_one_report(tmp_path):
    storage, out = Sound(str(tmp_path / "runs")), tmp_path / "out"
    for dataset in ("oxford102", "cub200"):
        record_all(storage, asked("loss", dataset=dataset), {"loss=matching": [50.0]})
    record_all(storage, asked("loss", epochs="3"), {})
    written = [
        path
        for questions in together(asked_before("loss", storage))
        for path in write(questions, storage, out)
    ]
    pages = sorted(path for path in written if path.suffix == ".md")
    assert len(pages) == 2
    (both,) = (page.read_text() for page in pages if "cub200" in page.read_text())
    assert "oxford102 speech→image R@1" in both
    assert "cub200 speech→image R@1" in both


def test_the_name_does_not_depend_on_which_data_sets_there_are():
    one, other = asked("loss"), asked("loss", dataset="cub200")
    assert one.plan_id != other.plan_id
    assert report_id(one) == report_id(other)
    assert report_id(one) != report_id(asked("loss", epochs="3"))


@pytest.mark.parametrize("sweep", ["gamma", "components", "factors", "baseline"])
def test_files_written_are_those_said_and_pictures_are_png(tmp_path, sweep):
    storage, out, question = Sound(str(tmp_path)), tmp_path / "out", asked(sweep)
    labels = {trial.cell or "VFSEL" for trial in question.plan(storage).trials}
    record_all(storage, question, {label: [50.0] for label in labels})
    written = write([question], storage, out)
    assert sorted(written) == sorted(out.iterdir())
    pictures = [path for path in written if path.suffix == ".png"]
    assert ("curve" in str(pictures)) == (sweep == "gamma")
    assert all(path.read_bytes().startswith(b"\x89PNG") for path in pictures)
    page = next(path for path in written if path.suffix == ".md").read_text()
    assert all(f"]({picture.name})" in page for picture in pictures)


def test_without_records_there_is_a_report_without_pictures(tmp_path):
    storage = Sound(str(tmp_path))
    written = write([asked("gamma")], storage, tmp_path / "out")
    assert {path.suffix for path in written} == {".html", ".md", ".tex", ".csv"}
    assert "No answer yet" in written[0].read_text()
