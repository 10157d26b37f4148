"""A search's progress from storage alone."""

import time

from orchestrator.search.question import searches_before
from orchestrator.search.status import study_status
from orchestrator.search.study import Study
from orchestrator.storage import Storage
from tests.orchestrator.search.objective import question, searched


def test_ended_trials_are_counted_and_those_under_way_shown(tmp_path):
    storage = Storage(str(tmp_path))
    searched(tmp_path, 4)
    study = Study(question(), storage)
    trial = study.trial(study.ask())
    now = time.time()
    storage.write_reports(trial.id, [{"epoch": n, "time": now} for n in (1, 2)])
    study.ask()
    (asked,) = searches_before("tune", storage)
    assert asked == question()
    lines, values = study_status(asked, storage)
    text = "\n".join(lines)
    assert f"study {question().study_id}: data drawn 0123456789abcdef, sampler tpe" in text
    assert f"{trial.id}  epoch 2 of 10, reported" in text
    assert "2 unfinished" in text
    assert "best: gamma=" in text
    assert [t["state"] for t in values["unfinished"]] == ["under way", "to run"]
    assert sum(values["trials"].values()) == 6
