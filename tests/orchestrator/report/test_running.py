"""What was run: budget and places, missing trials, dropped samples."""

from orchestrator.report.running import dropped, missing_trials, running_grid
from orchestrator.report.table import collect
from orchestrator.storage import Storage
from tests.orchestrator.report.recorded import asked, record_all


def test_hours_hosts_and_missing_trials(tmp_path):
    storage, question = Storage(str(tmp_path)), asked("loss", seeds=2)
    record_all(storage, question, {"loss=matching": [50.0, 51.0]})
    lacking, failed = question.plan(storage).trials[2:]
    storage.write_reports(lacking.id, [{"epoch": n, "time": 10.0 * n} for n in (1, 2)])
    table = collect([question], storage)
    lines = {line.label: line.cells[0] for line in running_grid(table).lines}
    assert lines["trials recorded"] == "2 of 4"
    assert lines["hours of training"] == "1.00"
    assert (lines["hosts"], lines["code"], lines["ray"]) == ("node7", "0.1.0+abc", "2")
    assert lines["webdataset"] == "unknown"  # a record of an earlier version
    begun, never = missing_trials(table.groups[0], storage)
    assert begun.endswith("under way or stopped after epoch 2.")
    assert lacking.id in begun
    assert never.endswith("it has reported no epoch.")
    failure = {"kind": "not finite", "reason": "the loss must be finite", "time": 15.0}
    for trial in (lacking, failed):
        storage.write_failure(trial.id, failure)
    begun, never = missing_trials(table.groups[0], storage)
    assert begun.endswith("under way or stopped after epoch 2.")  # it was tried again since
    assert never.endswith("failed after epoch 0 of 10: the loss must be finite.")


def test_a_report_without_its_time_is_older_than_any_failure(tmp_path):
    storage, question = Storage(str(tmp_path)), asked("loss")
    first, _ = question.plan(storage).trials
    storage.write_reports(first.id, [{"epoch": 1, "loss": 1.0, "metrics": {}}])
    (group,) = collect([question], storage).groups
    assert missing_trials(group, storage)[0].endswith("under way or stopped after epoch 1.")
    storage.write_failure(first.id, {"kind": "error", "reason": "no disk", "time": 1.0})
    assert missing_trials(group, storage)[0].endswith("failed after epoch 1 of 10: no disk.")


def test_dropped_samples_are_counted_by_reason(tmp_path):
    storage, question = Storage(str(tmp_path)), asked("loss")
    record_all(storage, question, {"loss=matching": [50.0], "loss=triplet": [51.0]})
    for trial in question.plan(storage).trials:
        record = storage.record(trial.id)
        storage.write_record(record | {"dropped": {"undecodable": 2, "empty": 0}}, {})
    (group,) = collect([question], storage).groups
    assert dropped(group) == ["oxford102: 4 samples were dropped: undecodable."]
