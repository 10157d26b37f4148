"""Where weights come from, and what is said of files that are not what they must be."""

import hashlib
from pathlib import Path

import pytest
import torch
from torch import nn

from data_shards.errors import DataError
from trainables import weights

STATE = {"weight": torch.arange(6.0).view(2, 3), "bias": torch.ones(2)}
WHAT = "the weights of a layer"


def published(folder: Path, *, named_by_hash: bool = True) -> str:
    """A file as its makers publish it; its URL, which can be read without a network."""
    folder.mkdir(parents=True, exist_ok=True)
    torch.save(STATE, folder / "layer.pth")
    digest = hashlib.sha256((folder / "layer.pth").read_bytes()).hexdigest()
    name = f"layer-{digest[:8]}.pth" if named_by_hash else "layer.pth"
    return (folder / "layer.pth").rename(folder / name).as_uri()


def layer() -> nn.Linear:
    return nn.Linear(3, 2)


def refused(url: str) -> str:
    """The one line that is said of the file."""
    with pytest.raises(DataError, match=WHAT) as caught:
        weights.load(url, WHAT)
    message = str(caught.value)
    assert "\n" not in message
    assert url in message
    assert str(weights.path(url)) in message
    return message


@pytest.fixture(autouse=True)
def _hub(tmp_path, monkeypatch):
    """An empty cache of torch.hub, and no folder."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "home"))
    monkeypatch.setenv(weights.VARIABLE, "")


@pytest.fixture
def folder(tmp_path) -> Path:
    """The folder that is named."""
    weights.use(str(tmp_path / "by hand"))
    return tmp_path / "by hand"


def same(state) -> bool:
    return state.keys() == STATE.keys() and all(torch.equal(state[n], STATE[n]) for n in STATE)


@pytest.mark.parametrize("named_by_hash", [True, False])
def test_without_a_folder_they_are_downloaded_once(tmp_path, named_by_hash):
    url = published(tmp_path / "site", named_by_hash=named_by_hash)
    assert same(weights.load(url, WHAT))
    Path(url.removeprefix("file://")).unlink()
    assert same(weights.load(url, WHAT))
    assert weights.path(url).is_relative_to(tmp_path / "home" / "hub")


def test_a_download_with_another_hash_is_refused(tmp_path):
    url = published(tmp_path / "site")
    with Path(url.removeprefix("file://")).open("ab") as stream:
        stream.write(b"more")
    assert "invalid hash value" in refused(url)
    assert not weights.path(url).exists()


def test_what_cannot_be_downloaded_is_one_line(tmp_path):
    assert "URLError" in refused((tmp_path / "nowhere-0123abcd.pth").as_uri())


@pytest.mark.parametrize("named_by_hash", [True, False])
def test_a_folder_is_all_that_is_looked_at(folder, named_by_hash):
    url = published(folder, named_by_hash=named_by_hash).replace(str(folder), "/nowhere")
    assert same(weights.load(url, WHAT))
    assert not list(folder.parent.glob("home/**/*.pth"))


def test_a_file_that_is_missing_in_the_folder_is_not_downloaded(tmp_path, folder):
    message = refused(published(tmp_path / "site"))
    assert "there is no such file" in message
    assert "--weights" in message
    assert not (tmp_path / "home").exists()


@pytest.mark.parametrize("spoil", [lambda b: b[:-100], lambda b: b + b"x", lambda b: b""])
def test_a_file_with_another_hash_is_refused(folder, spoil):
    url = published(folder)
    file = weights.path(url)
    file.write_bytes(spoil(file.read_bytes()))
    expected = file.stem.removeprefix("layer-")
    found = hashlib.sha256(file.read_bytes()).hexdigest()[:8]
    assert f"its SHA-256 must begin with {expected}, but begins with {found}" in refused(url)


@pytest.mark.parametrize("content", [b"", b"cut short", b"PK\x03\x04 cut short", b"\x80\x02K\x00."])
@pytest.mark.parametrize("place", ["folder", "cache"])
def test_a_broken_file_without_a_hash_is_one_line(tmp_path, content, place):
    if place == "folder":
        weights.use(str(tmp_path))
    url = (tmp_path / "site" / "layer.pth").as_uri()
    weights.path(url).parent.mkdir(parents=True, exist_ok=True)
    weights.path(url).write_bytes(content)
    refused(url)


def test_a_file_that_holds_code_is_refused(folder):
    folder.mkdir()
    torch.save({"weight": layer()}, folder / "layer.pth")  # a module: unpickling would run code
    assert "UnpicklingError" in refused("https://example.org/layer.pth")


def test_a_file_that_holds_no_state_is_refused(folder):
    folder.mkdir()
    torch.save(torch.ones(2), folder / "layer.pth")
    assert "it holds a Tensor" in refused("https://example.org/layer.pth")


def test_a_network_takes_them_as_trainable_parameters(folder):
    network = weights.pretrained(layer, url=published(folder), what=WHAT)
    assert same(network.state_dict())
    assert all(isinstance(p, nn.Parameter) and p.requires_grad for p in network.parameters())


def test_older_files_lack_the_counters_of_batch_norm(folder):
    """Those of 2016, ResNet-101's among them, which the first versions of batch norm wrote."""
    folder.mkdir()
    state = nn.BatchNorm2d(3).state_dict()
    del state["num_batches_tracked"]
    torch.save(dict(state), folder / "norm.pth")
    network = weights.pretrained(lambda: nn.BatchNorm2d(3), url="x/norm.pth", what=WHAT)
    assert network.num_batches_tracked.item() == 0


def test_weights_of_another_network_are_one_line(folder):
    url = published(folder)
    with pytest.raises(DataError, match=f"{WHAT} .*Error.* in loading state_dict") as caught:
        weights.pretrained(lambda: nn.Linear(3, 4), url=url, what=WHAT)
    assert "\n" not in str(caught.value)


def test_a_network_that_is_only_counted_needs_none():
    with torch.device("meta"):
        network = weights.pretrained(layer, url="https://example.org/no.pth", what=WHAT)
    assert network.weight.shape == (2, 3)
    assert network.weight.is_meta
