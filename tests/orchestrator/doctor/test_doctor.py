"""The command as a user runs it, and what becomes of a subject that breaks."""

import json
import signal
import sqlite3
import time
from contextlib import closing

import pytest

from orchestrator import doctor
from orchestrator.doctor.check import Asked
from orchestrator.storage import Storage
from tests import made
from tests.faults.conftest import SWEEP, wait_for_epoch
from tests.faults.mlflow_faults import runs
from tests.orchestrator.command import run, start
from tests.orchestrator.test_tracking_server import free_port
from tests.ray_head import wait_for


@pytest.mark.slow
def test_healthy(tmp_path):
    """Exit 0, JSON as promised, nothing left behind."""
    made.make(tmp_path / "tones")
    done = run("doctor", "--data", "tones", "--json", folder=tmp_path)
    answer = json.loads(done.stdout)
    assert done.returncode == 0, done.stdout
    assert answer.keys() == {"checks", "errors", "warnings"}
    assert answer["errors"] == 0
    for check in answer["checks"]:
        assert check.keys() == {"name", "level", "text", "advice"}
        assert check["level"] in ("ok", "warning")
    named = {check["name"] for check in answer["checks"]}
    assert {"python", "torch", "ray", "memory", "storage", "data", "code", "mlflow"} <= named
    assert [path.name for path in tmp_path.iterdir()] == ["tones"]


@pytest.mark.slow
def test_errors_end_with_1_and_are_one_line_each(tmp_path):
    uri = f"http://ada:secret@127.0.0.1:{free_port()}"
    done = run("doctor", "--data", "nowhere", "--tracking-uri", uri, folder=tmp_path)
    assert done.returncode == 1
    wrong = [line for line in done.stdout.splitlines() if line.startswith("error")]
    assert [line.split()[1] for line in wrong] == ["data:", "mlflow:"]
    assert "secret" not in done.stdout + done.stderr
    assert "Traceback" not in done.stderr


def test_a_subject_that_breaks_or_hangs_is_an_error_line(tmp_path, monkeypatch):
    asked = Asked(storage=Storage(str(tmp_path)), tracking_uri="sqlite:///m.db")
    monkeypatch.setattr(doctor, "SUBJECTS", ("no_such_subject", "weights"))
    broken, after = doctor.examine(asked)
    assert broken.level == "error"
    assert "ModuleNotFoundError" in broken.text
    assert after.name == "weights"
    monkeypatch.setattr(doctor, "SECONDS", 0.2)
    monkeypatch.setattr("orchestrator.doctor.weights.checks", lambda _: [time.sleep(2)])
    assert "no answer within 0.2 s" in list(doctor.examine(asked))[-1].text


@pytest.mark.slow
def test_fix_removes_what_a_killed_sweep_left(tmp_path):
    """Runs that stay RUNNING and a lock whose holder is gone: named, then ended and removed."""
    made.make(tmp_path / "tones", per_class=20)
    sweep = start(*SWEEP, "--set", "epochs=400", folder=tmp_path)
    wait_for_epoch(tmp_path / "runs", 1)
    uri = f"sqlite:///{tmp_path}/mlflow.db"
    wait_for(lambda: _running(tmp_path), seconds=60, what="MLflow has a run")
    sweep.send_signal(signal.SIGKILL)
    sweep.communicate()
    before = run("doctor", folder=tmp_path)
    assert before.returncode == 0
    assert "runs are RUNNING in MLflow, but no command is at work" in before.stdout
    assert "lock: left by `sweep" in before.stdout
    fixed = run("doctor", "--fix", folder=tmp_path)
    assert "runs: ended" in fixed.stdout
    assert "lock: removed" in fixed.stdout
    assert {each.info.status for each in runs(uri)} <= {"KILLED", "FINISHED"}
    after = run("doctor", folder=tmp_path)
    assert "RUNNING" not in after.stdout
    assert "lock" not in after.stdout


def _running(folder):
    query = "select count(*) from runs where status = 'RUNNING'"
    try:
        with closing(sqlite3.connect(f"file:{folder}/mlflow.db?mode=ro", uri=True)) as found:
            return found.execute(query).fetchone()[0]
    except sqlite3.OperationalError:  # not there yet, or being migrated
        return 0
