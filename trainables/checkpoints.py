"""Checkpoints: atomic files that hold tensors and plain values only, loaded `weights_only=True`.

Generations: `last-00007.pt` is all that is needed to go on behind epoch 7, and names the epoch of
its `best-00005.pt`. The new best is written first, then the new last; then what neither of the two
newest lasts needs is removed. So a kill leaves a whole generation at any moment, and so does a
newest file that is cut short or changed: a disk may lose what it said was written.

torch writes a CRC-32 of every tensor, but does not look at it when it reads: here it is checked.
"""

import io
import sys
import zipfile
from typing import Any

import torch

from data_shards import files
from data_shards.errors import DataError
from trainables import checkpoint_names

KEPT = 2  # generations
LAST = {"model", "optimisers", "rng", "best_epoch", "reports"}
BEST = {"model"}
State = dict[str, Any]


class DamagedError(DataError):
    """A file that is cut or changed, or holds more than tensors and plain values."""

    def __init__(self, what: str) -> None:
        super().__init__(f"{what}; delete it and run the same command again.")
        self.what = what


class Checkpoints:
    """The generations of one trial, in a folder that no other process writes to.

    Args:
        url: a folder or fsspec URI.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._names: set[str] = set()
        self._generations: dict[int, int] = {}
        """Epoch of each last that stands → epoch of its best."""

    def resume(self) -> State | None:
        """The state of the newest generation that is whole; None to start from the beginning.

        What is damaged is said on stderr, a line a file, and removed, as is what a kill left half
        done: a best that is written again must not meet a last of epochs that were lost.
        """
        files.remove_half_written(self._url)
        names = files.names(self._url)
        lasts, bests = (checkpoint_names.epochs(names, kind) for kind in ("last", "best"))
        self._names = {*map(checkpoint_names.last, lasts), *map(checkpoint_names.best, bests)}
        damaged, state = set[str](), None
        while lasts and state is None:
            try:
                state = self._generation(lasts[-1])
            except DamagedError as error:
                damaged.add(error.what)
                lasts.pop()
        _warn(damaged, f"goes on from epoch {lasts[-1]}" if lasts else "starts from its beginning")
        self._generations = {
            epoch: max((best for best in bests if best <= epoch), default=0) for epoch in lasts
        }
        if state is not None:
            self._generations[lasts[-1]] = state["best_epoch"]
        self._remove_unneeded()
        return state

    def _generation(self, epoch: int) -> State:
        """The state of a last whose best can be read too."""
        state = self._read(checkpoint_names.last(epoch), holds=LAST)
        self._read(checkpoint_names.best(state["best_epoch"]), holds=BEST)
        return state

    def _read(self, name: str, *, holds: set[str]) -> State:
        url = files.join(self._url, name)
        state = load(url)
        if state is None:
            raise DamagedError(f"{files.shown(url)} is missing")
        if set(state) != holds:
            raise DamagedError(f"{files.shown(url)} is not ours")
        return state

    def save(self, state: State, *, epoch: int, best_epoch: int, best: State | None = None) -> None:
        """Write a generation, then remove what is older than the one before it.

        Args:
            state: all of `LAST` but `best_epoch`.
            epoch: epochs done.
            best: weights of `best_epoch`; None if they are written already.

        Raises:
            OSError: the disk is full, or away; the generations before it stand.
        """
        if best is not None:
            self._write(checkpoint_names.best(best_epoch), {"model": best})
        self._write(checkpoint_names.last(epoch), state | {"best_epoch": best_epoch})
        self._generations[epoch] = best_epoch
        self._remove_unneeded()

    def _write(self, name: str, state: State) -> None:
        buffer = io.BytesIO()
        torch.save(state, buffer)
        files.write_atomic(files.join(self._url, name), buffer.getvalue())
        self._names.add(name)

    def _remove_unneeded(self) -> None:
        for epoch in sorted(self._generations)[:-KEPT]:
            del self._generations[epoch]
        needed = {checkpoint_names.last(epoch) for epoch in self._generations}
        needed |= {checkpoint_names.best(epoch) for epoch in self._generations.values()}
        # A last goes before its best: what a kill leaves of these is whole generations.
        for name in sorted(self._names - needed, reverse=True):
            files.remove(files.join(self._url, name))
        self._names &= needed

    def best(self, epoch: int) -> State | None:
        """The file of a best epoch, `{"model": weights}`; None if it is gone.

        Raises:
            DataError: it is damaged.
        """
        return load(files.join(self._url, checkpoint_names.best(epoch)))


def load(url: str) -> State | None:
    """Read a file of ours onto the CPU, every byte checked; None if there is none.

    Raises:
        DamagedError: it is cut or changed, or holds more than tensors and plain values.
    """
    content = files.read_bytes(url)
    if content is None:
        return None
    try:
        return _checked(io.BytesIO(content))
    except Exception as error:  # zipfile and torch raise many kinds for a damaged file
        if isinstance(error, MemoryError) or "allocate memory" in str(error):
            raise  # says nothing of the file
        raise DamagedError(f"{files.shown(url)} cannot be read") from error


def _checked(stream: io.BytesIO) -> State:
    with zipfile.ZipFile(stream) as archive:
        if (changed := archive.testzip()) is not None:
            raise ValueError(f"{changed} has changed")
    stream.seek(0)
    state: State = torch.load(stream, map_location="cpu", weights_only=True)
    return dict(state)


def _warn(damaged: set[str], then: str) -> None:
    for line in sorted(damaged):
        print(f"warning: {line}: the trial {then}.", file=sys.stderr, flush=True)
