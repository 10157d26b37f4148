"""One writing command at a time: on a path and on S3, and whatever its holder dies of."""

import errno
import fcntl
import json
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager

import pytest

from data_shards import files
from data_shards.errors import DataError
from orchestrator import lock
from orchestrator.lock import held, look, remove_stale
from orchestrator.storage import Storage

# Holds the storage, with a child that outlives it, and says when it does.
_HOLDER = """
import subprocess, sys, time
from orchestrator import lock
from orchestrator.storage import Storage
lock.BEAT_SECONDS = 0.2
with lock.held(Storage(sys.argv[1]), command="sweep gamma"):
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(30)"])
    print(child.pid, flush=True)
    time.sleep(30)
"""


@pytest.fixture(params=["path", "s3"])
def storage(request, tmp_path, monkeypatch):
    monkeypatch.setattr(lock, "BEAT_SECONDS", 0.2)
    monkeypatch.setattr(lock, "WATCH_SECONDS", 1.5)
    monkeypatch.setattr(lock, "SETTLE_SECONDS", 0.2)
    on_path = request.param == "path"
    return Storage(f"{tmp_path if on_path else request.getfixturevalue('bucket')}/runs")


@contextmanager
def _another(storage):
    """Another process that holds the storage."""
    line = [sys.executable, "-c", _HOLDER, storage.url]
    process = subprocess.Popen(line, stdout=subprocess.PIPE, text=True)
    child = int(process.stdout.readline())
    try:
        yield process
    finally:
        os.kill(child, signal.SIGKILL)
        process.kill()
        process.wait()


def _hold(storage):
    with held(storage, command="sweep loss"):
        return look(storage)


def test_while_one_holds_it_another_is_told_who_and_what_to_do(storage):
    with _another(storage) as process:
        with pytest.raises(DataError) as caught:
            _hold(storage)
        said = str(caught.value)
        assert (
            f"is held by `sweep gamma` (host {os.uname().nodename}, process {process.pid}" in said
        )
        assert "wait for it" in said
        assert "\n" not in said
        found = look(storage)
        assert (found.command, found.pid, found.alive) == ("sweep gamma", process.pid, True)
        assert not remove_stale(storage)


def test_one_after_another(storage):
    for _ in range(2):
        with held(storage, command="sweep loss"):
            assert look(storage).command == "sweep loss"
    assert look(storage) is None
    assert files.names(storage.url) in ([], ["lock"])


def test_a_killed_holders_lock_is_free_though_its_children_live(storage, capsys):
    with _another(storage) as process:
        process.kill()
        process.wait()
        assert not look(storage).alive
        assert _hold(storage).pid == os.getpid()
    assert "watching" not in capsys.readouterr().err  # its process is known to be gone


def test_a_dead_holders_mark_can_be_removed(storage):
    with _another(storage) as process:
        process.kill()
        process.wait()
        assert remove_stale(storage)
    assert look(storage) is None
    assert not remove_stale(storage)


def test_ctrl_c_gives_it_back(storage):
    with _another(storage) as process:
        process.send_signal(signal.SIGINT)
        process.wait()
        assert look(storage) is None


def test_a_forked_child_does_not_keep_it(tmp_path):
    storage = Storage(str(tmp_path / "runs"))
    with held(storage, command="sweep loss"):
        child = multiprocessing.get_context("fork").Process(target=time.sleep, args=(30,))
        child.start()
    try:
        assert _hold(storage)
    finally:
        child.kill()
        child.join()


def test_a_damaged_mark_holds_nobody_up(storage):
    files.write_atomic(files.join(storage.url, "lock.json"), b'{"comm')
    assert look(storage).text.startswith("`an unknown command`")
    assert _hold(storage).command == "sweep loss"


def _mark_of(storage, **changed):
    """The mark of a holder on another machine."""
    value = {"command": "sweep gamma", "host": "far", "pid": 7, "since": "then", "machine": "x"}
    content = json.dumps(value | {"token": "theirs", "beat": 0} | changed).encode()
    files.write_atomic(files.join(storage.url, "lock.json"), content)


@pytest.fixture
def remote(bucket, monkeypatch):
    monkeypatch.setattr(lock, "BEAT_SECONDS", 0.2)
    monkeypatch.setattr(lock, "WATCH_SECONDS", 1.5)
    monkeypatch.setattr(lock, "SETTLE_SECONDS", 0.2)
    return Storage(f"{bucket}/runs")


def test_a_holder_elsewhere_that_no_longer_beats_is_replaced(remote, capsys):
    _mark_of(remote)
    assert not look(remote).alive
    assert _hold(remote).host == os.uname().nodename
    assert "was left by `sweep gamma` (host far, process 7" in capsys.readouterr().err


def test_of_two_who_replace_a_dead_holder_one_gets_it(remote):
    _mark_of(remote)
    results = []

    def challenge():
        try:
            with held(remote, command="sweep loss"):
                results.append("held")
                time.sleep(3)
        except DataError:
            results.append("refused")

    both = [threading.Thread(target=challenge) for _ in range(2)]
    for each in both:
        each.start()
    for each in both:
        each.join()
    assert sorted(results) == ["held", "refused"]


def test_who_was_cut_off_and_replaced_says_so_and_leaves_the_lock_alone(remote, capsys):
    with held(remote, command="sweep loss"):
        _mark_of(remote)
        time.sleep(1)
    assert "was taken over by another command" in capsys.readouterr().err
    assert look(remote).command == "sweep gamma"


def test_where_the_answer_to_the_creation_is_lost_it_is_known_as_ours(remote, monkeypatch, capsys):
    create = files.create

    def create_unheard(url, content):
        assert create(url, content)  # the first attempt
        return create(url, content)  # the second, after the lost answer

    monkeypatch.setattr(files, "create", create_unheard)
    assert _hold(remote)
    assert capsys.readouterr().err == ""  # nothing to watch
    assert look(remote) is None


def test_without_locks_in_the_file_system_it_goes_on_with_a_warning(tmp_path, monkeypatch, capsys):
    def refuse(*_):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", refuse)
    assert _hold(Storage(str(tmp_path / "runs"))).command == "sweep loss"
    warning = capsys.readouterr().err
    assert warning.count("\n") == 1
    assert "cannot be locked (No locks available)" in warning
