"""The live table on a terminal and without one."""

import io

import pytest
from rich.console import Console

from orchestrator.live import LiveTable
from orchestrator.storage import Storage
from search_spaces.designs import Trial
from tests.orchestrator.tracked import BASE, TRIALS, record, reports
from trainables.experiment import Experiment

TRIAL = Trial(Experiment(image_encoder="small", epochs=3), {"gamma": 13.0})
REPORT = {"epoch": 2, "metrics": {"s2i_r1": 30.0, "i2s_r1": 41.26}}
FIRST, SECOND, THIRD = TRIALS


def _console(*, terminal, width=120, height=24):
    return Console(
        file=io.StringIO(), force_terminal=terminal, color_system=None, width=width, height=height
    )


def _shown(tmp_path, *, terminal, failure=""):
    console = _console(terminal=terminal)
    with LiveTable(console, Storage(str(tmp_path))) as table:
        table.planned([TRIAL], "stage 2 [later]")
        table.started(TRIAL.id)
        table.reported(TRIAL.id, REPORT)
        table.ended(TRIAL.id, failure)
    return console.file.getvalue()


def _lines(storage, events):
    """What is told without a terminal."""
    console = _console(terminal=False)
    with LiveTable(console, storage) as table:
        events(table)
    return console.file.getvalue().splitlines()


def _train(table, trial, *, epochs):
    table.started(trial.id)
    for report in reports(epochs):
        table.reported(trial.id, report)


@pytest.fixture
def storage(tmp_path):
    return Storage(str(tmp_path))


def test_plain_lines_without_a_terminal(tmp_path):
    lines = _shown(tmp_path, terminal=False).splitlines()
    assert lines[0] == "plan: 1 trials, 1 to run; then stage 2 [later]"
    assert "gamma=13 seed=0: epoch 2/3, R@1 s2i 30.0 i2s 41.3 %" in lines
    told = "1 of 1 recorded; best so far gamma=13 seed=0, R@1 sum 71.3"
    assert lines[-1] == f"gamma=13 seed=0: recorded ({told})"


def test_a_failure_with_brackets_is_shown_as_it_is(tmp_path):
    """Not as markup, which would break the table and with it the answer."""
    shown = _shown(tmp_path, terminal=True, failure="shape '[/16, 8]' is [batch]")
    assert "[/16, 8]" in shown
    assert "[batch]" in shown


def test_an_epoch_says_what_is_left_of_its_trial(storage):
    def events(table):
        table.planned([FIRST], "")
        _train(table, FIRST, epochs=3)

    lines = _lines(storage, events)  # two seconds an epoch
    assert lines[-1] == "gamma=1 seed=0: epoch 3/4, R@1 s2i 30.0 i2s 15.0 %, 2 s left"


def test_a_long_trial_has_a_line_for_its_first_epoch_and_each_tenth(storage):
    long = Trial(BASE.replace(epochs=120), {"gamma": 1.0})

    def events(table):
        table.planned([long], "")
        _train(table, long, epochs=120)

    epochs = [line for line in _lines(storage, events) if "epoch" in line]
    assert len(epochs) == 11
    assert "epoch 1/120" in epochs[0]
    assert "4 min left" in epochs[1]
    assert "epoch 12/120" in epochs[1]
    assert "epoch 120/120" in epochs[-1]


def test_what_a_trial_that_goes_on_had_reported_is_not_told_again(storage):
    storage.write_reports(FIRST.id, reports(2))

    def events(table):
        table.planned([FIRST], "")
        _train(table, FIRST, epochs=4)

    lines = _lines(storage, events)
    assert lines[1] == "gamma=1 seed=0: on after epoch 2"
    assert [line.split(",")[0] for line in lines[2:]] == [
        "gamma=1 seed=0: epoch 3/4", "gamma=1 seed=0: epoch 4/4",
    ]  # fmt: skip


def test_what_is_trained_anew_is_told(storage):
    """As on a GPU, where an epoch may come out differently."""
    storage.write_reports(FIRST.id, reports(3))
    first, second, *_ = reports(3)

    def events(table):
        table.planned([FIRST], "")
        table.started(FIRST.id)
        table.reported(FIRST.id, first)
        table.reported(FIRST.id, second | {"time": second["time"] + 500})

    assert "epoch 2/4" in _lines(storage, events)[-1]


def test_a_record_of_before_counts_among_the_best(storage):
    record(storage, FIRST, value=80.0)

    def events(table):
        table.planned(TRIALS, "")
        _train(table, SECOND, epochs=4)
        table.ended(SECOND.id, "")

    assert _lines(storage, events)[-1].endswith(
        "(2 of 3 recorded; best so far gamma=1 seed=0, R@1 sum 80.0)"
    )


def test_a_long_failure_leaves_room_for_the_numbers(storage):
    console = _console(terminal=True, width=80)
    table = LiveTable(console, storage)
    table.planned([FIRST, SECOND], "")
    _train(table, FIRST, epochs=2)
    table.started(SECOND.id)
    table.ended(SECOND.id, "the loss must be finite " * 10)
    console.print(table._table())
    lines = console.file.getvalue().splitlines()
    assert len(lines) == 4 + 2 + 1  # the table's own, the trials, the sweep
    assert max(map(len, lines)) <= 80
    running = next(line for line in lines if "running" in line)
    for cell in ("gamma=1 seed=0", "█████░░░░░ 2/4", "20.0 10.0", "4 s"):
        assert cell in running


def test_the_table_fits_a_low_terminal(storage):
    """Those under way first; what waits is counted. One line a trial, and the sweep's below."""
    trials = [Trial(BASE.replace(seed=seed), {"gamma": 1.0}) for seed in range(50)]
    console = _console(terminal=True, height=16)
    table = LiveTable(console, storage)
    table.planned(trials, "stage 2")
    _train(table, trials[40], epochs=2)
    table.started(trials[30].id)
    table.ended(trials[20].id, "the loss must be finite")
    console.print(table._table())
    lines = console.file.getvalue().splitlines()
    assert len(lines) < console.height
    text = "\n".join(lines)
    names = [line.split("seed=")[1].split()[0] for line in lines if " seed=" in line]
    assert names[:3] == ["40", "30", "20"]
    assert "█████░░░░░ 2/4" in text
    assert "… and 42 waiting" in text
    # 48 trials of 4 epochs and one that lacks 2, two at once, two seconds an epoch
    assert "0 of 50 recorded; about 3 min left; best so far gamma=1 seed=40, R@1 sum 30.0" in text
