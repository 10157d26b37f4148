"""How a command is ended; real endings: `tests/faults/test_kills.py`."""

import signal

import pytest

from orchestrator.__main__ import _terminate


def test_no_alarm_of_rays_outlasts_a_stop():
    signal.alarm(100)
    with pytest.raises(KeyboardInterrupt):
        _terminate(signal.SIGTERM, None)
    assert signal.alarm(0) == 0  # what was left of it
