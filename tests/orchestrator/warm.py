"""A command in a process of its own, forked from one that has imported what commands import.

Half of a small sweep's work is else its imports. Session, folder, environment, signals and exit
are as in a fresh process. What is not: how text hashes (for all as in the server), and what `/proc`
shows as the environment (the server's, too). Commands with another `PYTHON…` or `RAY_…` variable,
home or temporary folder are fresh.
"""

import atexit
import multiprocessing
import multiprocessing.util  # its handler at exit waits for children: before ours, which ends them
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from unittest import mock

import numpy as np

_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(["tests.orchestrator.preloaded"])
_PLAIN = dict(os.environ)
_ROOT = Path(__file__).parents[2]
_READ_AT_IMPORT = ("HOME", "PYTHON", "RAY_", "TMPDIR")
_LEFT_BY_IMPORT = "RAY_CLIENT_MODE"


def is_plain(environment: Mapping[str, str]) -> bool:
    """Whether imports under this environment have done the same."""
    return _imported(environment) == _imported(_PLAIN)


def _imported(environment: Mapping[str, str]) -> dict[str, str]:
    return {
        name: value
        for name, value in environment.items()
        if name.startswith(_READ_AT_IMPORT) and name != _LEFT_BY_IMPORT
    }


class WarmCommand:
    """`python -m orchestrator …` under way; as `subprocess.Popen`, as far as tests need it."""

    def __init__(self, arguments: Sequence[str], *, folder: Path, environment: Mapping[str, str],
                 merged: bool) -> None:  # fmt: skip
        self.args = list(arguments)
        self._files = [tempfile.NamedTemporaryFile() for _ in range(1 if merged else 2)]  # noqa: SIM115
        names = [file.name for file in self._files]
        self._process = _FORKS.Process(
            target=_become, args=(self.args, str(folder), dict(environment), names[0], names[-1])
        )
        # The first one starts the server, which finds our modules by PYTHONPATH alone.
        with mock.patch.dict(os.environ, _PLAIN | {"PYTHONPATH": str(_ROOT)}, clear=True):
            self._process.start()
        assert self._process.pid is not None
        self.pid = self._process.pid

    @property
    def returncode(self) -> int | None:
        """As of `subprocess`: negative for a signal."""
        return self._process.exitcode

    def poll(self) -> int | None:
        """The exit code once it has ended."""
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Until it has ended."""
        self._process.join(timeout)
        if self.returncode is None:
            raise subprocess.TimeoutExpired(self.args, timeout or 0.0)
        return self.returncode

    def communicate(self, timeout: float | None = None) -> tuple[str, str]:
        """What it printed, once it has ended: in one text if both streams are merged."""
        self.wait(timeout)
        said = [Path(file.name).read_text() for file in self._files]
        return said[0], said[1] if len(said) > 1 else ""

    def send_signal(self, number: int) -> None:
        """Nothing where it has ended."""
        with suppress(ProcessLookupError):
            if self.poll() is None:
                os.kill(self.pid, number)

    def kill(self) -> None:
        """It alone."""
        self.send_signal(signal.SIGKILL)


@atexit.register
def _end_those_left() -> None:
    """A test that failed may have left one under way."""
    for process in multiprocessing.active_children():
        process.kill()


def _become(
    arguments: list[str], folder: str, environment: dict[str, str], stdout: str, stderr: str
) -> None:
    """In the new process."""
    os.setsid()
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    for name, descriptor in ((stdout, 1), (stderr, 2)):
        # appended, so that two streams in one file do not overwrite each other
        opened = os.open(name, os.O_WRONLY | os.O_APPEND)
        os.dup2(opened, descriptor)
        os.close(opened)
    import orchestrator.__main__ as program

    assert program.__file__
    sys.argv = [program.__file__, *arguments]
    sys.path[0] = folder
    sys.modules["__main__"] = program
    random.seed()
    np.random.seed()
    signal.signal(signal.SIGINT, signal.default_int_handler)
    _exit(program)


def _exit(program: object) -> None:
    """As the interpreter does, which processes of `multiprocessing` leave out."""
    try:
        program.main()  # type: ignore[attr-defined]
    finally:
        threading._shutdown()  # type: ignore[attr-defined]
        atexit._run_exitfuncs()
