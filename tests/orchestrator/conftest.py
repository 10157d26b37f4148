"""The command line, called in the tests' own process."""

import sys

import pytest

from orchestrator import __main__ as command


@pytest.fixture
def call(folder, monkeypatch, capsys):
    """Runs `vfsel …` in the `folder` of a test's file: (exit code, stdout, stderr)."""

    def _call(*arguments):
        monkeypatch.chdir(folder)
        monkeypatch.setattr(sys, "argv", ["vfsel", *arguments])
        monkeypatch.setattr(command.signal, "signal", lambda *_: None)
        with pytest.raises(SystemExit) as ended:
            command.main()
        out, err = capsys.readouterr()
        return ended.value.code or 0, out, err

    return _call
