"""The live table on a terminal and without one."""

import io

from rich.console import Console

from orchestrator.live import LiveTable
from orchestrator.storage import Storage
from search_spaces.designs import Trial
from trainables.experiment import Experiment

TRIAL = Trial(Experiment(image_encoder="small", epochs=3), {"gamma": 13.0})
REPORT = {"epoch": 2, "metrics": {"s2i_r1": 30.0, "i2s_r1": 41.26}}


def _shown(tmp_path, *, terminal, failure=""):
    console = Console(file=io.StringIO(), force_terminal=terminal, width=120)
    with LiveTable(console, Storage(str(tmp_path))) as table:
        table.planned([TRIAL], "stage 2 [later]")
        table.started(TRIAL.id)
        table.reported(TRIAL.id, REPORT)
        table.ended(TRIAL.id, failure)
    return console.file.getvalue()


def test_plain_lines_without_a_terminal(tmp_path):
    lines = _shown(tmp_path, terminal=False).splitlines()
    assert lines[0] == "plan: 1 trials, 1 to run; then stage 2 [later]"
    assert "gamma=13 seed=0: epoch 2/3, R@1 s2i 30.0 i2s 41.3 %" in lines
    assert lines[-1] == "gamma=13 seed=0: recorded"


def test_a_failure_with_brackets_is_shown_as_it_is(tmp_path):
    """Not as markup, which would break the table and with it the answer."""
    shown = _shown(tmp_path, terminal=True, failure="shape '[/16, 8]' is [batch]")
    assert "[/16, 8]" in shown
    assert "[batch]" in shown
