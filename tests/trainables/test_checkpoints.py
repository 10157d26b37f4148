"""Checkpoints: back as written, atomic, and nothing but tensors and plain values."""

import pickle

import pytest
import torch

from data_shards.errors import DataError
from trainables.checkpoints import Checkpoints


def test_state_comes_back(tmp_path):
    checkpoints = Checkpoints(str(tmp_path / "a"))
    assert checkpoints.load("last") is None
    checkpoints.save("last", {"w": torch.arange(3), "epoch": 2})
    state = checkpoints.load("last")
    assert state["epoch"] == 2
    assert torch.equal(state["w"], torch.arange(3))


def test_a_file_cut_short_is_said(tmp_path):
    checkpoints = Checkpoints(str(tmp_path))
    checkpoints.save("last", {"w": torch.arange(1000)})
    path = tmp_path / "last.pt"
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(DataError, match=r"last\.pt cannot be read; delete it"):
        checkpoints.load("last")


class _Evil:
    def __reduce__(self):
        return (print, ("code from a checkpoint ran",))


def test_code_in_a_checkpoint_is_refused(tmp_path, capsys):
    (tmp_path / "last.pt").write_bytes(pickle.dumps(_Evil()))
    with pytest.raises(DataError):
        Checkpoints(str(tmp_path)).load("last")
    assert "ran" not in capsys.readouterr().out


def test_a_failed_write_leaves_the_old_file(tmp_path):
    checkpoints = Checkpoints(str(tmp_path))
    checkpoints.save("last", {"epoch": 1})
    with pytest.raises(Exception, match="pickle"):
        checkpoints.save("last", {"epoch": lambda: 2})
    assert checkpoints.load("last") == {"epoch": 1}
    assert [path.name for path in tmp_path.iterdir()] == ["last.pt"]
