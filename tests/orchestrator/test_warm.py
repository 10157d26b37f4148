"""The tests' own commands: a forked one says and ends as one that was started afresh."""

import os
import signal
import subprocess
import sys

import pytest

from tests import made
from tests.orchestrator.command import run
from tests.orchestrator.warm import WarmCommand, is_plain


@pytest.mark.parametrize(
    "arguments",
    [["list"], ["plan", "loss", "--data", "tones"], ["plan", "loss", "--data", "none"], ["lst"]],
)
def test_it_says_and_ends_as_a_fresh_one(tmp_path, arguments):
    made.make(tmp_path / "tones")
    warm = run(*arguments, folder=tmp_path)
    fresh = subprocess.run(
        [sys.executable, "-m", "orchestrator", *arguments], cwd=tmp_path, capture_output=True,
        text=True,
    )  # fmt: skip
    assert (warm.returncode, warm.stdout, warm.stderr) == (
        fresh.returncode, fresh.stdout, fresh.stderr,
    )  # fmt: skip


def test_it_ends_by_a_signal_in_a_session_of_its_own(tmp_path):
    command = WarmCommand(["doctor"], folder=tmp_path, environment=dict(os.environ), merged=True)
    with pytest.raises(subprocess.TimeoutExpired):
        command.wait(0.5)
    assert os.getsid(command.pid) == command.pid
    os.killpg(command.pid, signal.SIGKILL)
    assert command.wait(30) == -signal.SIGKILL


def test_what_imports_would_read_asks_for_a_fresh_one():
    assert is_plain(os.environ | {"VFSEL_CACHE": "/nowhere", "AWS_PROFILE": "mine"})
    for name in ("RAY_ADDRESS", "PYTHONHASHSEED", "HOME", "TMPDIR"):
        assert not is_plain(os.environ | {name: "other"})
