"""Checkpoints: atomic files that hold tensors and plain values only, loaded `weights_only=True`."""

import io
from typing import Any

import torch

from data_shards import files
from data_shards.errors import DataError


class Checkpoints:
    """`last.pt` (all that is needed to go on) and `best.pt` (trainable weights) in one folder.

    Args:
        url: a folder or fsspec URI.
    """

    def __init__(self, url: str) -> None:
        self._url = url

    def save(self, name: str, state: dict[str, Any]) -> None:
        """Write `<name>.pt` atomically."""
        buffer = io.BytesIO()
        torch.save(state, buffer)
        files.write_atomic(files.join(self._url, f"{name}.pt"), buffer.getvalue())

    def load(self, name: str) -> dict[str, Any] | None:
        """Read `<name>.pt` onto the CPU, or None if there is none.

        Raises:
            DataError: the file is cut or holds more than tensors and plain values.
        """
        url = files.join(self._url, f"{name}.pt")
        content = files.read_bytes(url)
        if content is None:
            return None
        try:
            state: dict[str, Any] = torch.load(
                io.BytesIO(content), map_location="cpu", weights_only=True
            )
        except Exception as error:  # torch raises many kinds for a damaged file
            raise DataError(f"{url} cannot be read; delete it to start the trial again.") from error
        return state
