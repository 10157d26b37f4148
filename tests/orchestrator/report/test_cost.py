"""Cost: by hand, of cells with and without records."""

from orchestrator.report.cost import cost_grid
from orchestrator.report.table import collect
from orchestrator.storage import Storage
from tests.orchestrator.report.recorded import asked, record_all


def test_hours_by_hand(tmp_path):
    storage, question = Storage(str(tmp_path)), asked("loss", seeds=2)
    record_all(storage, question, {"loss=matching": [50.0, 51.0]})
    first = question.plan(storage).trials[0].id
    record = storage.record(first)
    record["environment"]["device"] = "NVIDIA T4"
    storage.write_record(record | {"dropped": {"undecodable": 3}}, {})
    lines = {line.label: line.cells for line in cost_grid(collect([question], storage)).lines}
    assert lines["loss=matching"] == ["2", "4", "900.0", "1.00", "0.50", "3"]
    assert lines["loss=triplet"] == ["0", "0", "–", "0.00", "0.00", "0"]
    assert lines["all"] == lines["loss=matching"]
