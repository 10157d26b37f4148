"""`status` on the command line: what it watches, and the jobs of a head."""

import time
from types import SimpleNamespace

import pytest
from click.testing import CliRunner
from ray.job_submission import JobStatus

from data_shards.errors import DataError, UsageError
from orchestrator import jobs
from orchestrator.cli import cli
from orchestrator.cli.job_states import dashboard, sweep_jobs
from orchestrator.cli.status import REFRESH_SECONDS
from orchestrator.planning import Question
from orchestrator.storage import Storage
from search_spaces.sweep import load
from tests.orchestrator.tracked import BASE, record, reports

RUNS = "s3://bucket/runs"


def _job(number, command, status=JobStatus.RUNNING, message=None):
    return SimpleNamespace(
        submission_id=f"raysubmit_{number}", entrypoint=command, status=status,
        message=message, start_time=number,
    )  # fmt: skip


SWEEP = "python -m orchestrator sweep"
JOBS = [
    _job(3, f"{SWEEP} gamma --seeds 3 --storage {RUNS}/", JobStatus.FAILED, "exit code 1.\nLogs:"),
    _job(1, f"{SWEEP} --storage={RUNS} gamma", JobStatus.SUCCEEDED),
    _job(2, f"{SWEEP} loss --storage {RUNS}"),
    _job(4, f"{SWEEP} gamma --storage s3://another/runs"),
    _job(5, "python train.py --storage s3://bucket/runs"),
    _job(6, f"{SWEEP} gamma --storage {RUNS} --of-another-version"),
    _job(7, "echo 'unclosed"),
    _job(8, f"{SWEEP} --storage {RUNS}"),
]


@pytest.fixture
def storage(tmp_path):
    """Of a sweep of two trials, one recorded, the other under way."""
    storage = Storage(str(tmp_path / "runs"))
    question = Question(load("loss"), BASE, 1, "tones")
    storage.write_plan(question.to_dict())
    first, second = question.plan(storage).trials
    record(storage, first)
    storage.write_reports(second.id, reports(2))
    return storage


def _status(*arguments):
    return CliRunner().invoke(cli, ["status", *arguments])


def test_the_sweeps_among_a_heads_jobs():
    found = sweep_jobs(JOBS, storage=RUNS)
    assert [(job.id[-1], job.sweep, job.state) for job in found] == [
        ("1", "gamma", "SUCCEEDED"), ("2", "loss", "RUNNING"), ("3", "gamma", "FAILED"),
    ]  # fmt: skip
    assert found[2].line == "job raysubmit_3: gamma, FAILED: exit code 1."


def test_only_those_of_one_sweep():
    assert [job.id[-1] for job in sweep_jobs(JOBS, storage=RUNS, name="gamma")] == ["1", "3"]


def test_only_an_address_of_a_dashboard_is_taken_from_the_environment(monkeypatch):
    monkeypatch.delenv("RAY_API_SERVER_ADDRESS", raising=False)
    monkeypatch.setenv("RAY_ADDRESS", "10.0.0.1:6379")
    assert dashboard() == ""
    monkeypatch.setenv("RAY_ADDRESS", "http://10.0.0.1:8265")
    assert dashboard() == "http://10.0.0.1:8265"


def test_the_job_stands_below_its_sweep(storage, monkeypatch):
    """Ray's answer is made here; a real head answers in `test_jobs_run.py`."""
    details = [_job(1, f"{SWEEP} loss --storage {storage.url}")]
    head = SimpleNamespace(list_jobs=lambda: details)
    monkeypatch.setattr(jobs, "connect", lambda address: head)
    done = _status("loss", "--storage", storage.url, "--address", "http://head:8265")
    assert done.output.endswith("job raysubmit_1: loss, RUNNING\n")


def test_a_head_that_is_gone_is_an_error_only_if_it_was_asked_for(storage, monkeypatch):
    nowhere = "http://127.0.0.1:9"
    done = _status("loss", "--storage", storage.url, "--address", nowhere)
    assert isinstance(done.exception, DataError)
    assert "1 recorded" in done.output
    monkeypatch.setenv("RAY_ADDRESS", nowhere)
    done = _status("loss", "--storage", storage.url)
    assert done.exit_code == 0
    assert "the state of its job is not known: a Ray head must run at" in done.output


def test_watching_ends_with_the_sweep(storage, monkeypatch):
    question = Question(load("loss"), BASE, 1, "tones")
    naps = []

    def nap(seconds):
        naps.append(seconds)
        record(storage, question.plan(storage).trials[1])

    monkeypatch.setattr(time, "sleep", nap)
    done = _status("loss", "--storage", storage.url, "--watch")
    assert done.exit_code == 0
    assert naps == [REFRESH_SECONDS]
    assert "1 recorded" in done.output
    assert done.output.endswith("2 trials: 2 recorded, 0 under way, 0 to run.\n")


def test_machines_do_not_watch(storage):
    done = _status("loss", "--storage", storage.url, "--watch", "--json")
    assert isinstance(done.exception, UsageError)
