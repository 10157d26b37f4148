"""Published weights, of images' backbones and of speech front ends: from a folder, or downloaded.

Every file is read with `weights_only=True`: it can hold tensors, but no code.
"""

import hashlib
import os
import re
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import torch
from torch import nn

from data_shards.errors import DataError

VARIABLE = "VFSEL_WEIGHTS"
"""Environment variable that names the folder of weights; nothing is downloaded then."""

Network = TypeVar("Network", bound=nn.Module)


def use(folder: str) -> None:
    """From now on this process, and those that it starts, take weights from that folder."""
    os.environ[VARIABLE] = folder


def load(url: str, what: str) -> dict[str, Any]:
    """The state dict of the file at `url`, on the CPU.

    From the folder that `$VFSEL_WEIGHTS` names, where the file lies under its own name. Without
    one from torch.hub's cache (`$TORCH_HOME`), into which it is downloaded at first use.

    Args:
        url: where its makers keep it; digits behind a hyphen at the end of its name are those
            that its SHA-256 begins with (`resnet101-63fe2227.pth`), and are checked.
        what: for messages, e.g. `the ImageNet weights of resnet101`.

    Raises:
        DataError: the file is missing, cut or another one, or cannot be downloaded.
    """
    file = path(url)
    try:
        state = _from_folder(file) if os.environ.get(VARIABLE) else _from_hub(url)
        if not isinstance(state, dict):
            raise TypeError(f"it holds a {type(state).__name__}")
    except Exception as error:  # torch.load raises whatever a broken file makes it stumble over
        raise _unusable(what, url, error) from error
    return state


def pretrained(build: Callable[[], Network], *, url: str, what: str) -> Network:
    """The network that `build` makes, with the weights at `url`: `load` says from where.

    Within `torch.device("meta")` it has shapes only, and no file is needed.

    Raises:
        DataError: as `load`; or the weights are not of this network.
    """
    with torch.device("meta"):  # initial values would take seconds and twice the memory
        network = build()
    if only_shapes():
        return network
    state = load(url, what)
    try:
        network.load_state_dict(state, assign=True)
    except RuntimeError as error:
        raise _unusable(what, url, error) from error
    left = [name for name, value in _tensors(network).items() if value.is_meta]
    assert not left, f"{left} are in no state dict: build them elsewhere"
    return network


def digest(network: nn.Module) -> str:
    """SHA-256 over names and contents of a network's parameters and buffers."""
    sha = hashlib.sha256()
    for name, tensor in sorted(network.state_dict().items()):
        sha.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        sha.update(tensor.detach().cpu().contiguous().numpy().tobytes())
    return sha.hexdigest()


def only_shapes() -> bool:
    """Whether networks are being built without values, to be counted."""
    return torch.get_default_device().type == "meta"


def path(url: str) -> Path:
    """Where the file at `url` is looked for."""
    folder = os.environ.get(VARIABLE) or Path(torch.hub.get_dir()) / "checkpoints"
    return Path(folder) / url.rsplit("/", 1)[-1]


def _from_folder(file: Path) -> Any:
    if not file.is_file():
        raise FileNotFoundError("there is no such file")
    expected = _hash_in(file.name)
    with file.open("rb") as stream:
        found = hashlib.file_digest(stream, "sha256").hexdigest()
    if not found.startswith(expected):
        found = found[: len(expected)]
        raise ValueError(f"its SHA-256 must begin with {expected}, but begins with {found}")
    return torch.load(file, map_location="cpu", weights_only=True)


def _from_hub(url: str) -> Any:
    return torch.hub.load_state_dict_from_url(
        url, map_location="cpu", progress=False, weights_only=True,
        check_hash=bool(_hash_in(path(url).name)),
    )  # fmt: skip


def _hash_in(name: str) -> str:
    """`resnet101-63fe2227.pth` → `63fe2227`; "" where the name has none."""
    found = re.search(r"-([0-9a-f]{8,64})\.\w+$", name)
    return found.group(1) if found else ""


def _tensors(network: nn.Module) -> dict[str, torch.Tensor]:
    return dict(network.named_parameters()) | dict(network.named_buffers())


def _unusable(what: str, url: str, error: Exception) -> DataError:
    reason = next(iter(str(error).splitlines()), "").rstrip(".:")
    return DataError(
        f"{what} must be at {path(url)} on {socket.gethostname()}, but cannot be had "
        f"({type(error).__name__}: {reason}): download {url} and put it there, or into a folder "
        "that every node sees and --weights names."
    )
