import multiprocessing
import os
import signal
import time

import pytest

from data_shards import pool
from data_shards.errors import DataError


def square(number):
    return number * number


def fail_on_zero(number):
    if number == 0:
        raise DataError("number must not be 0.")
    time.sleep(60)


def die(_number):
    os.kill(os.getpid(), signal.SIGKILL)


def test_all_results_come():
    results = []
    pool.run(square, range(5), workers=2, done=results.append)
    assert sorted(results) == [0, 1, 4, 9, 16]
    pool.run(square, [], workers=2, done=results.append)


def test_the_first_error_ends_the_others_at_once():
    started = time.monotonic()
    with pytest.raises(DataError, match="must not be 0"):
        pool.run(fail_on_zero, [1, 0, 2, 3], workers=2, done=print)
    assert time.monotonic() - started < 30
    assert not multiprocessing.active_children()


def test_a_killed_worker_is_one_clear_line():
    with pytest.raises(DataError, match="one was killed"):
        pool.run(die, [1], workers=1, done=print)
