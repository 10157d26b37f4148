import io
import re
import sys

from data_shards import progress


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_plain_lines_where_there_is_no_terminal(capsys):
    with progress.bar("pack", total=10, done=4) as advance:
        advance(1)
        advance(5)
    out, error = capsys.readouterr()
    assert out == ""
    assert re.fullmatch(r"pack: 10/10, 0:00 left\n", error)  # the first one came too early


def test_nothing_if_not_shown(capsys):
    with progress.bar("pack", total=1, show=False) as advance:
        advance(1)
    assert capsys.readouterr() == ("", "")


def test_a_bar_on_a_terminal(monkeypatch):
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    with progress.bar("pack", total=10, done=4) as advance:
        advance(6)
    assert "10/10" in terminal.getvalue()
