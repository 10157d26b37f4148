"""CSV: a line a value with the thesis' beside it, and a line a trial."""

import csv
import io

from orchestrator.report.spreadsheet import cells_csv, trials_csv
from orchestrator.report.table import collect
from orchestrator.storage import Storage
from tests.orchestrator.report.recorded import asked, record_all


def _rows(tmp_path, write, **question):
    storage, found = Storage(str(tmp_path)), asked("loss", seeds=2, **question)
    record_all(storage, found, {"loss=matching": [50.0, 53.0]})
    return list(csv.DictReader(io.StringIO(write(collect([found], storage)))))


def test_values_beside_the_thesis(tmp_path):
    rows = _rows(tmp_path, cells_csv)
    assert len(rows) == 2 * 2 * 8
    row = rows[0]
    assert (row["cell"], row["direction"], row["metric"]) == ("loss=matching", "s2i", "r1")
    assert (row["ours"], row["thesis"], row["difference"]) == ("51.5", "49.26", "2.24")
    assert (row["state"], row["seeds"], row["planned"]) == ("recorded", "2", "2")
    assert row["one_checkpoint"] == "48.03"
    assert {row["metric"] for row in rows if row["thesis"]} == {"r1", "map50_thesis"}


def test_missing_values_are_empty(tmp_path):
    rows = [row for row in _rows(tmp_path, cells_csv) if row["cell"] == "loss=triplet"]
    assert {(row["state"], row["ours"], row["sd"], row["difference"]) for row in rows} == {
        ("missing", "", "", "")
    }


def test_a_line_a_trial(tmp_path):
    rows = _rows(tmp_path, trials_csv, selection="test")
    assert [(row["loss"], row["seed"], row["state"], row["s2i_r1"]) for row in rows] == [
        ("matching", "0", "recorded", "50.0"), ("matching", "1", "recorded", "53.0"),
        ("triplet", "0", "missing", ""), ("triplet", "1", "missing", ""),
    ]  # fmt: skip
    assert (rows[0]["chosen_on"], rows[0]["selection"]) == ("test", "100.0")
    assert None not in rows[3]
    assert None not in rows[3].values()
