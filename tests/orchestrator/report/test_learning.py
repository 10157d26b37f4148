"""Learning curves: what of several seeds is drawn."""

from orchestrator.report.learning import by_epoch, learning
from orchestrator.report.table import collect
from orchestrator.storage import Storage
from tests.orchestrator.report.recorded import asked, record_all


def test_values_by_epoch_of_runs_that_differ_in_length():
    runs = [[{"epoch": 1, "loss": 3.0}, {"epoch": 2, "loss": 2.0}], [{"epoch": 1, "loss": 5.0}]]
    assert by_epoch(runs, lambda report: report["loss"]) == {1: [3.0, 5.0], 2: [2.0]}
    assert by_epoch(runs, lambda report: report.get("r1_sum")) == {}


def test_the_band_is_named_where_there_is_one(tmp_path):
    storage, question = Storage(str(tmp_path)), asked("loss", seeds=2)
    record_all(storage, question, {"loss=matching": [50.0]})
    assert "band" not in learning(collect([question], storage).groups[0]).caption
    record_all(storage, question, {"loss=matching": [50.0, 51.0]})
    drawn = learning(collect([question], storage).groups[0])
    assert "the band reaches from the lowest to the highest seed" in drawn.caption
    assert drawn.content.startswith(b"\x89PNG")
