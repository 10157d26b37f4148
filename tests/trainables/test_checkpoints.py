"""Checkpoints: whole generations through damage, kills and full disks; tensors and plain values."""

import pickle
from itertools import count

import pytest
import torch

from data_shards import files
from data_shards.errors import DataError, NetworkError
from tests.small_disk import small_disk
from trainables import checkpoint_names, checkpoints
from trainables.checkpoints import Checkpoints, load

BESTS = {1: 1, 2: 1, 3: 3, 4: 3, 5: 3, 6: 6}
"""Epoch → best epoch so far."""


def _weights(epoch):
    return {"w": torch.full((4,), float(epoch))}


def _save(kept, epoch, bests=BESTS):
    state = {"model": _weights(epoch), "optimisers": {}, "rng": torch.zeros(3), "reports": []}
    best = _weights(epoch) if bests[epoch] == epoch else None
    kept.save(state, epoch=epoch, best_epoch=bests[epoch], best=best)


def _run(folder, until):
    """Go on from what is there; like `train`."""
    kept = Checkpoints(str(folder))
    state = kept.resume()
    for epoch in range((_epoch(state) or 0) + 1, until + 1):
        _save(kept, epoch)
    return kept


def _epoch(state):
    return None if state is None else int(state["model"]["w"][0])


def _names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_state_comes_back_with_its_best(tmp_path):
    kept = _run(tmp_path / "a", 5)
    state = Checkpoints(str(tmp_path / "a")).resume()
    assert torch.equal(state["model"]["w"], _weights(5)["w"])
    assert state["best_epoch"] == 3
    assert torch.equal(kept.best(3)["model"]["w"], _weights(3)["w"])
    assert kept.best(2) is None


def test_two_generations_are_kept_and_what_they_need(tmp_path):
    kept = Checkpoints(str(tmp_path))
    assert kept.resume() is None
    wanted = {
        1: ["best-00001.pt", "last-00001.pt"],
        2: ["best-00001.pt", "last-00001.pt", "last-00002.pt"],
        3: ["best-00001.pt", "best-00003.pt", "last-00002.pt", "last-00003.pt"],
        4: ["best-00003.pt", "last-00003.pt", "last-00004.pt"],
        5: ["best-00003.pt", "last-00004.pt", "last-00005.pt"],
        6: ["best-00003.pt", "best-00006.pt", "last-00005.pt", "last-00006.pt"],
    }
    for epoch, names in wanted.items():
        _save(kept, epoch)
        assert _names(tmp_path) == names
        assert _epoch(Checkpoints(str(tmp_path)).resume()) == epoch  # and it removes nothing
        assert _names(tmp_path) == names


DAMAGE = {
    "cut": lambda content: content[: len(content) // 2],
    "empty": lambda content: b"",
    "a byte less": lambda content: content[:-1],
    "flipped": lambda content: _flipped(content, content.index(b"\x00\x00\xc0\x40")),  # a weight
    "zeroed": lambda content: bytes(len(content)),
    "zeroed behind a page": lambda content: content[:512] + bytes(len(content) - 512),
}


def _flipped(content, at):
    return content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :]


@pytest.mark.parametrize("damage", DAMAGE)
@pytest.mark.parametrize("name", ["last-00006.pt", "best-00006.pt"])
def test_of_a_damaged_newest_file_the_one_before_goes_on(tmp_path, capsys, name, damage):
    _run(tmp_path, 6)
    path = tmp_path / name
    path.write_bytes(DAMAGE[damage](path.read_bytes()))
    state = Checkpoints(str(tmp_path)).resume()
    assert (_epoch(state), state["best_epoch"]) == (5, 3)
    said = capsys.readouterr().err
    assert said == f"warning: {path} cannot be read: the trial goes on from epoch 5.\n"
    assert _names(tmp_path) == ["best-00003.pt", "last-00005.pt"]
    _run(tmp_path, 6)
    assert _epoch(Checkpoints(str(tmp_path)).resume()) == 6
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("missing", [False, True])
def test_without_a_whole_one_the_trial_starts_anew(tmp_path, capsys, missing):
    """The best of both is damaged or gone: one line names it."""
    _run(tmp_path, 5)
    path = tmp_path / "best-00003.pt"
    path.unlink() if missing else path.write_bytes(b"half a file")
    assert Checkpoints(str(tmp_path)).resume() is None
    what = "is missing" if missing else "cannot be read"
    said = capsys.readouterr().err
    assert said == f"warning: {path} {what}: the trial starts from its beginning.\n"
    assert _names(tmp_path) == []


def test_no_flipped_byte_changes_what_is_read(tmp_path):
    """It is refused, or of no meaning (a date, padding)."""
    Checkpoints(str(tmp_path)).save(
        {"reports": [{"loss": 0.5}]}, epoch=1, best_epoch=1, best=_weights(6)
    )
    refused = 0
    for name in _names(tmp_path):
        path = tmp_path / name
        content, wanted = path.read_bytes(), str(load(str(path)))
        for at in range(len(content)):
            path.write_bytes(_flipped(content, at))
            try:
                assert str(load(str(path))) == wanted
            except DataError:
                refused += 1
        path.write_bytes(content)
    assert refused > 500


class _Evil:
    def __reduce__(self):
        return (print, ("code from a checkpoint ran",))


@pytest.mark.parametrize(
    "write", [torch.save, lambda evil, path: path.write_bytes(pickle.dumps(evil))]
)
def test_code_in_a_checkpoint_is_refused_and_passed_over(tmp_path, capsys, write):
    _run(tmp_path, 2)
    write(_Evil(), tmp_path / "last-00003.pt")
    with pytest.raises(DataError, match=r"last-00003\.pt cannot be read; delete it"):
        load(str(tmp_path / "last-00003.pt"))
    assert _epoch(Checkpoints(str(tmp_path)).resume()) == 2
    said = capsys.readouterr()
    assert "ran" not in said.out
    assert "last-00003.pt cannot be read: the trial goes on from epoch 2." in said.err


def test_a_file_of_something_else_is_passed_over(tmp_path, capsys):
    _run(tmp_path, 2)
    torch.save({"model": _weights(3)}, tmp_path / "last-00003.pt")
    assert _epoch(Checkpoints(str(tmp_path)).resume()) == 2
    assert "last-00003.pt is not ours" in capsys.readouterr().err


class _Kill(BaseException):
    """No error that anybody handles."""


OPERATIONS = ("write_atomic", "remove")


def _killed_at(monkeypatch, number, work):
    """Do `work`, killed before its file operation of that number; whether it came so far."""
    made = count()

    def counted(do):
        def operation(*given):
            if next(made) == number:
                raise _Kill
            return do(*given)

        return operation

    with monkeypatch.context() as patch:
        for name in OPERATIONS:
            patch.setattr(files, name, counted(getattr(files, name)))
        try:
            work()
        except _Kill:
            return True
    return False


def test_a_kill_before_any_operation_leaves_a_whole_generation(tmp_path, monkeypatch, capsys):
    """At most one epoch is lost, nothing is damaged, and the end is that of an undisturbed run."""
    _run(tmp_path / "straight", 6)
    for number in count():
        folder = tmp_path / str(number)
        came = _killed_at(monkeypatch, number, lambda at=folder: _run(at, 6))
        _run(folder, 6)
        assert _names(folder) == _names(tmp_path / "straight")
        for name in _names(folder):
            assert str(load(str(folder / name))) == str(load(str(tmp_path / "straight" / name)))
        if not came:
            break
    assert number > 12
    assert capsys.readouterr().err == ""


def test_kills_on_kills_end_too(tmp_path, monkeypatch):
    """Killed again and again, each time a little later: no more files than while it writes."""
    most = 0
    for number in count():
        came = _killed_at(monkeypatch, number, lambda: _run(tmp_path, 6))
        most = max(most, len(_names(tmp_path)))
        if not came:
            break
    assert _epoch(Checkpoints(str(tmp_path)).resume()) == 6
    assert most <= 6  # two generations of two files, and the new one


def test_epochs_that_were_lost_leave_no_best_for_those_that_come_again(tmp_path):
    """On a GPU they may come out otherwise: here 2 was best, then killed, and then is not."""
    kept = _run(tmp_path, 1)
    kept._write(checkpoint_names.best(2), {"model": _weights(99)})
    again = Checkpoints(str(tmp_path))
    assert again.resume()["best_epoch"] == 1
    assert _names(tmp_path) == ["best-00001.pt", "last-00001.pt"]
    for epoch in (2, 3):
        _save(again, epoch, bests={2: 1, 3: 1})
    assert Checkpoints(str(tmp_path)).resume()["best_epoch"] == 1
    assert _names(tmp_path) == ["best-00001.pt", "last-00002.pt", "last-00003.pt"]


def test_what_a_kill_in_the_middle_of_a_write_left_is_removed(tmp_path):
    _run(tmp_path, 2)
    (tmp_path / ".last-00003.pt.x7").write_bytes(b"half a file")
    (tmp_path / "last.pt").write_bytes(b"of an older version")
    assert _epoch(Checkpoints(str(tmp_path)).resume()) == 2
    assert _names(tmp_path) == ["best-00001.pt", "last-00001.pt", "last-00002.pt", "last.pt"]


def test_a_failed_write_leaves_the_generations_before(tmp_path):
    kept = _run(tmp_path, 2)
    with pytest.raises(Exception, match="pickle"):
        kept.save({"reports": lambda: 2}, epoch=3, best_epoch=1)
    assert _epoch(Checkpoints(str(tmp_path)).resume()) == 2


def test_storage_that_is_away_is_no_damage(tmp_path, monkeypatch):
    """Nothing is removed: the error goes to whoever tries again."""
    _run(tmp_path, 6)
    names = _names(tmp_path)

    def away(url):
        raise NetworkError("away")

    with monkeypatch.context() as patch:
        patch.setattr(checkpoints.files, "read_bytes", away)
        with pytest.raises(NetworkError):
            Checkpoints(str(tmp_path)).resume()
    assert _names(tmp_path) == names
    assert _epoch(Checkpoints(str(tmp_path)).resume()) == 6


def test_a_full_disk_is_said_and_leaves_the_generations_before(tmp_path):
    with small_disk(tmp_path / "disk", kilobytes=64) as disk:
        _run(disk, 2)
        (disk / "filler").write_bytes(bytes(40_000))
        kept = Checkpoints(str(disk))
        state = kept.resume() | {"rng": torch.zeros(8_000)}
        with pytest.raises(OSError, match="the disk is full"):
            kept.save(state, epoch=3, best_epoch=1)
        assert _epoch(Checkpoints(str(disk)).resume()) == 2


def test_on_an_object_store_one_list_and_the_newest_two_files_are_asked_for(bucket, s3):
    kept = Checkpoints(f"{bucket}/c")
    for epoch in range(1, 7):
        _save(kept, epoch)
    names = ["best-00003.pt", "best-00006.pt", "last-00005.pt", "last-00006.pt"]
    assert s3.keys(f"{bucket}/c") == names
    assert _epoch(Checkpoints(f"{bucket}/c").resume()) == 6
    assert [s3.requests("GET", name) for name in names] == [0, 1, 0, 1]
