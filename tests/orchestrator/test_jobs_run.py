"""Jobs on a head with 2 virtual GPUs and a token: run, stopped, run again, followed and left."""

import re
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import mlflow
import pytest

from data_shards import manifest
from orchestrator.storage import Storage
from orchestrator.version import code_version
from tests import made
from tests.faults.doubles import HOLD, Doubles
from tests.orchestrator.command import TINY
from tests.ray_head import ray_head, wait_for

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
RAY = str(Path(sys.executable).with_name("ray"))
EPOCHS = 3


@pytest.fixture(scope="module")
def head(tmp_path_factory):
    doubles = Doubles(tmp_path_factory.mktemp("site"))
    with ray_head(num_cpus=8, num_gpus=2, environment=doubles.environment) as head:
        head.cause = doubles.cause
        yield head


@pytest.fixture(scope="module")
def tones(tmp_path_factory):
    return made.make(tmp_path_factory.mktemp("data") / "tones").folder


@pytest.fixture
def where(tmp_path):
    """Options: where results go."""
    return ["--storage", f"{tmp_path}/runs", "--tracking-uri", f"sqlite:///{tmp_path}/mlflow.db"]


def ray_job(head, *arguments):
    """`ray job …` of a user with the token, in the checkout."""
    name, *rest = arguments
    done = subprocess.run(
        [RAY, "job", name, "--address", head.dashboard, *rest], env=head.client(), cwd=ROOT,
        capture_output=True, text=True, timeout=400,
    )  # fmt: skip
    assert head.token not in done.stdout + done.stderr
    return done


def submit_as_documented(head, *sweep):
    """The id of a job submitted by Ray's own command."""
    done = ray_job(
        head, "submit", "--no-wait", "--working-dir", ".", "--runtime-env",
        "deploy/runtime_env.yaml", "--", "python", "-m", "orchestrator", "sweep", *sweep,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return re.search(r"raysubmit_\w+", done.stdout + done.stderr)[0]


def state(head, job):
    return head.get(f"/api/jobs/{job}")["status"]


def ended(head, job):
    return state(head, job) not in ("PENDING", "RUNNING")


def log(head, job):
    return head.get(f"/api/jobs/{job}/logs")["logs"]


def runs(folder):
    """States of the MLflow runs, the parent's first."""
    client = mlflow.MlflowClient(f"sqlite:///{folder}/mlflow.db")
    ids = [experiment.experiment_id for experiment in client.search_experiments()]
    found = client.search_runs(ids)
    found.sort(key=lambda run: "mlflow.parentRunId" in run.data.tags)
    return [run.info.status for run in found]


def times(storage):
    return {
        id_: [report["time"] for report in storage.reports(id_)] for id_ in storage.report_ids()
    }


@pytest.mark.timeout(1000)
def test_four_trials_at_once_stopped_and_submitted_again(head, tones, where, tmp_path):
    sweep = ["loss", *where, "--gpus-per-trial", "0.5", "--data", tones, "--seeds", "3", *TINY,
             "--set", f"epochs={EPOCHS}"]  # fmt: skip
    storage = Storage(f"{tmp_path}/runs")
    head.cause(HOLD)
    job = submit_as_documented(head, *sweep)

    def _four_begun():
        assert not ended(head, job), log(head, job)
        return len(storage.report_ids()) == 4

    wait_for(_four_begun, seconds=180, what="4 trials have reported")
    head.post(f"/api/jobs/{job}/stop")  # what `ray job stop` does, which starts up for seconds
    wait_for(lambda: ended(head, job), seconds=120, what="the job stops")
    assert state(head, job) == "STOPPED"
    assert "nothing is lost: the same command goes on" in log(head, job)
    assert set(runs(tmp_path)) <= {"KILLED", "FINISHED"}
    assert runs(tmp_path)[0] == "KILLED"
    before = times(storage)
    assert len(before) == 4  # 2 GPUs hold no fifth
    assert not storage.record_ids()

    head.cause("")
    again = submit_as_documented(head, *sweep)
    wait_for(lambda: ended(head, again), seconds=600, what="the job ends")
    assert state(head, again) == "SUCCEEDED", log(head, again)
    after = times(storage)
    for id_, reported in before.items():  # no epoch that was reported was trained again
        assert after[id_][: len(reported)] == reported
    assert len(storage.record_ids()) == 6
    assert all(len(reported) == EPOCHS for reported in after.values())
    assert runs(tmp_path) == ["FINISHED"] * 7
    assert "best: loss=" in log(head, again)


def submit(head, *arguments):
    """Our own command, under way on a user's machine."""
    return subprocess.Popen(
        [sys.executable, "-m", "orchestrator", "submit", *arguments, "--address", head.dashboard],
        env=head.client(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def test_followed_and_left_it_goes_on(head, tones, tmp_path):
    folder = tmp_path / "a folder; with 'signs'"  # the shell that starts the job must not see them
    folder.mkdir()
    sweep = ["baseline", "--storage", f"{folder}/runs", "--data", tones, "--gpus-per-trial", "0.5",
             "--tracking-uri", f"sqlite:///{folder}/mlflow.db", *TINY]  # fmt: skip
    storage = Storage(f"{folder}/runs")
    command = submit(head, *sweep, "--set", "epochs=400")
    shown = ""
    for line in command.stdout:
        shown += line
        if "epoch 1/400" in line:
            break
    command.send_signal(signal.SIGINT)
    _, said = command.communicate(timeout=60)
    assert command.returncode == 130, shown + said
    assert "the job goes on" in said
    job = re.search(r"raysubmit_\w+", said)[0]
    assert f"ray job logs --follow {job} --address {head.dashboard}" in said
    assert f"ray job stop {job} --address {head.dashboard}" in said
    again = re.search(r"python -m orchestrator (status baseline .*)", said)[1]
    assert head.token not in shown + said
    before = max(map(len, times(storage).values()))
    wait_for(
        lambda: max(map(len, times(storage).values())) > before + 1, seconds=60, what="it goes"
    )
    done = subprocess.run(
        [sys.executable, "-m", "orchestrator", *shlex.split(again)], capture_output=True, text=True
    )
    assert re.search(r"epoch \d+ of 400, reported \d+ s ago", done.stdout), done.stderr
    done = subprocess.run(
        [sys.executable, "-m", "orchestrator", *shlex.split(again), "--address", head.dashboard],
        env=head.client(), capture_output=True, text=True,
    )  # fmt: skip
    assert f"\njob {job}: baseline, RUNNING" in done.stdout, done.stderr
    head.post(f"/api/jobs/{job}/stop")
    wait_for(lambda: ended(head, job), seconds=120, what="the job stops")

    followed = submit(head, *sweep, "--set", "epochs=2")
    shown, said = followed.communicate(timeout=300)
    assert followed.returncode == 0, shown + said
    assert "test R@1" in shown
    assert said.splitlines()[0].startswith("job raysubmit_")
    (record,) = [storage.record(id_) for id_ in storage.record_ids()]
    assert record["environment"]["code"] == code_version()


def test_the_exit_code_is_that_of_the_sweep(head, tones, where, tmp_path):
    command = submit(head, "baseline", *where, "--data", tones, "--gpus-per-trial", "8", *TINY)
    shown, _ = command.communicate(timeout=120)
    assert command.returncode == 2
    assert "a trial must fit on one node" in shown
    assert set(runs(tmp_path)) == {"FAILED"}


def test_the_built_in_set_serves_other_nodes(where, tmp_path):
    with ray_head(num_cpus=2, num_gpus=0) as head:
        node = head.add_node(num_cpus=2, num_gpus=1)
        command = submit(
            head, "baseline", *where, "--gpus-per-trial", "1", *TINY, "--set", "epochs=1"
        )
        shown, said = command.communicate(timeout=300)
        assert command.returncode == 0, shown + said
        assert any(node.cache.rglob("*.npy"))  # the trial ran there
        assert not any(head.cache.rglob("*.npy"))
    assert "Making the built-in spoken data set in" in shown
    packed = manifest.load(tmp_path / "runs" / "data" / "synth")
    assert packed.manifest.dataset == "synth"


def test_a_stopped_job_has_longer_than_rays_3_seconds_to_keep_its_books(head):
    script = (
        "import signal, sys, time; "
        "signal.signal(signal.SIGTERM, lambda *_: (time.sleep(6), print('kept'), sys.exit())); "
        "print('begun', flush=True); time.sleep(300)"
    )
    done = ray_job(
        head, "submit", "--no-wait", "--working-dir", "deploy", "--runtime-env",
        "deploy/runtime_env.yaml", "--", "python", "-c", script,
    )  # fmt: skip
    job = re.search(r"raysubmit_\w+", done.stdout + done.stderr)[0]
    wait_for(lambda: "\nbegun" in log(head, job), seconds=60, what="it begins")
    head.post(f"/api/jobs/{job}/stop")
    wait_for(lambda: ended(head, job), seconds=60, what="the job stops")
    assert "\nkept" in log(head, job)
