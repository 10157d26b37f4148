"""What is damaged is left out, said at the top, and makes the command fail at the end."""

import pytest

from data_shards import files
from data_shards.errors import DataError
from orchestrator.cli import cli
from orchestrator.report import write
from orchestrator.report.sound import Sound, said
from tests.orchestrator.report.recorded import asked, record_all


@pytest.fixture
def damaged(tmp_path):
    """A storage with two records, one of which is cut short."""
    storage, question = Sound(str(tmp_path / "runs")), asked("loss")
    record_all(storage, question, {"loss=matching": [50.0], "loss=triplet": [51.0]})
    (_, broken) = question.plan(storage).trials
    files.write_atomic(f"{tmp_path}/runs/records/{broken.id}.json", b'{"schema": 1, "tri')
    return storage, question, broken.id


def test_a_report_is_made_of_the_rest(damaged, tmp_path):
    storage, question, broken = damaged
    written = write([question], storage, tmp_path / "out")
    page = next(path for path in written if path.suffix == ".md").read_text()
    first = next(line for line in page.splitlines() if line.startswith("> "))
    assert "Left out: " in first
    assert f"{broken}.json is damaged" in first
    assert "| loss=triplet | here | 0 of 1 seeds | missing |" in page
    assert len(storage.damaged) == 1


def test_the_command_writes_it_and_fails_in_one_line(damaged, tmp_path):
    _, _, broken = damaged
    out = tmp_path / "out"
    words = ["report", "loss", "--storage", str(tmp_path / "runs"), "--out", str(out)]
    with pytest.raises(DataError, match=f"leaves out what is damaged: .*{broken}.json") as error:
        cli.main(words, standalone_mode=False)
    assert "\n" not in str(error.value)
    assert list(out.glob("*.html"))


@pytest.mark.parametrize("field", ["test", "seconds", "reports"])
def test_a_record_without_a_field_that_is_shown_is_damaged(tmp_path, field):
    storage, question = Sound(str(tmp_path)), asked("loss")
    record_all(storage, question, {"loss=matching": [50.0]})
    trial = question.plan(storage).trials[0].id
    record = storage.record(trial)
    storage.write_record({name: record[name] for name in record if name != field}, {})
    assert storage.record(trial) is None
    assert storage.damaged[0].endswith(f"is damaged ({field} is missing).")


def test_queries_and_failures_that_cannot_be_read_are_none(tmp_path):
    storage = Sound(str(tmp_path))
    files.write_atomic(f"{tmp_path}/queries/a.npz", b"PK")
    files.write_atomic(f"{tmp_path}/failures/a.json", b"{")
    assert storage.queries("a") == {}
    assert storage.failure("a") is None
    assert len(storage.damaged) == 2
    assert said(storage.damaged).endswith(" and 1 more")
