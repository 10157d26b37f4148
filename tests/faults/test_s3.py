"""Data and storage on S3, through the command line: run, run again, killed, unreachable."""

import os
import shutil
import signal
import time
from contextlib import contextmanager, suppress

import pytest

from orchestrator.storage import Storage
from tests import made
from tests.faults.conftest import ALONE, EPOCHS, records
from tests.orchestrator.command import TINY, run, start
from tests.s3 import SECRET, leading_to, wait_until


@pytest.fixture
def tones(s3, bucket, tmp_path):
    """The tiny data set on S3."""
    made.make(tmp_path / "tones")
    return s3.upload(tmp_path / "tones", f"{bucket}/tones")


def _items(s3, bucket):
    name = bucket.removeprefix("s3://")
    return s3.client.list_objects_v2(Bucket=name, Prefix="runs/")["Contents"]


def test_data_on_s3_are_verified_and_described(s3, bucket, tones, tmp_path):
    info = run("data", "info", tones, "--json", folder=tmp_path)
    assert '"hash"' in info.stdout
    s3.client.put_object(
        Bucket=bucket.removeprefix("s3://"), Key="tones/val-00000.tar", Body=b"cut"
    )
    verify = run("data", "verify", tones, folder=tmp_path)
    assert verify.returncode == 1
    assert "val-00000.tar: SHA-256 must be" in verify.stderr


@pytest.mark.parametrize(
    ("changed", "code", "said"),
    [
        ({"AWS_ACCESS_KEY_ID": None, "AWS_SECRET_ACCESS_KEY": None}, 1, "credentials must be set"),
        ({"AWS_ENDPOINT_URL": "127.0.0.1:1"}, 2, "AWS_ENDPOINT_URL must be http(s)://HOST:PORT"),
    ],
)
def test_what_is_wrong_with_s3_is_one_line(s3, bucket, tmp_path, changed, code, said):
    with leading_to(s3.endpoint, **changed):
        done = run("data", "info", f"{bucket}/tones", folder=tmp_path)
    assert done.returncode == code
    assert said in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert SECRET not in done.stderr


@pytest.mark.slow
def test_killed_a_training_goes_on_from_its_checkpoint_on_s3(
    s3, bucket, tmp_path, undisturbed_alone
):
    made.make(tmp_path / "tones", per_class=20)
    tones = s3.upload(tmp_path / "tones", f"{bucket}/tones")
    storage = Storage(f"{bucket}/runs")
    sweep = [tones if word == "tones" else word for word in ALONE] + ["--storage", storage.url]
    with _under_way(*sweep, folder=tmp_path):
        wait_until(lambda: _epochs(s3, storage) >= 4, seconds=300)
    (trial_id,) = _asked(s3, storage)
    before = [report["time"] for report in storage.reports(trial_id)]
    assert len(before) < EPOCHS
    shutil.rmtree(tmp_path / "cache")  # as if the next node were another one
    done = run(*sweep, folder=tmp_path)
    assert done.returncode == 0, done.stderr
    after = [report["time"] for report in storage.reports(trial_id)]
    assert after[: len(before)] == before
    assert len(after) == EPOCHS
    assert records(storage.url) == undisturbed_alone
    _assert_the_same_command_changes_nothing(*sweep, s3=s3, bucket=bucket, folder=tmp_path)


def _assert_the_same_command_changes_nothing(*sweep, s3, bucket, folder):
    kinds = {key.split("/")[0] for key in s3.keys(f"{bucket}/runs")}
    kept = {"plans", "records", "queries", "reports", "features", "models", "pictures"}
    assert kinds == kept  # no checkpoints
    times = {item["Key"]: item["LastModified"] for item in _items(s3, bucket)}
    again = run(*sweep, folder=folder)
    assert again.returncode == 0, again.stderr
    for item in _items(s3, bucket):
        if "/plans/" not in item["Key"]:
            assert item["LastModified"] == times[item["Key"]]
    status = run("status", "baseline", "--storage", f"{bucket}/runs", folder=folder)
    assert status.returncode == 0, status.stderr
    assert "1 recorded" in status.stdout


@contextmanager
def _under_way(*arguments, folder):
    """A command and its processes, which are killed at the end."""
    command = start(*arguments, folder=folder)
    try:
        yield command
    finally:
        with suppress(ProcessLookupError):  # it has ended
            os.killpg(command.pid, signal.SIGKILL)
        command.wait()


def _asked(s3, storage):
    """Trials that have reported."""
    return [name.removesuffix(".jsonl") for name in s3.keys(f"{storage.url}/reports")]


def _epochs(s3, storage):
    return max((len(storage.reports(trial_id)) for trial_id in _asked(s3, storage)), default=0)


@pytest.mark.slow
def test_an_endpoint_away_for_a_while_only_delays_a_sweep(s3, bucket, tones, forwarder, tmp_path):
    sweep = ["sweep", "baseline", "--data", tones, "--storage", f"{bucket}/runs"]
    with _under_way(*sweep, "--set", "epochs=15", *TINY, folder=tmp_path) as command:
        with leading_to(s3.endpoint):  # past the forwarder
            storage = Storage(f"{bucket}/runs")
            wait_until(lambda: _epochs(s3, storage) >= 2, seconds=300)
            forwarder.stop()
            assert _epochs(s3, storage) < 15
            time.sleep(25)
            forwarder.start()
        output, _ = command.communicate(timeout=240)
    assert command.returncode == 0, output
    assert "does not answer" in output
    assert "Traceback" not in output
