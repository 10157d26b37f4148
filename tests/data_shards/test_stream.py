"""The streamed reader: order, captions, workers, and what is broken."""

import contextlib
import io
import os
import shutil
import tarfile
from pathlib import Path

import numpy as np
import pytest
import torch

from data_shards.errors import DataError, UsageError
from data_shards.logmel import LogMel
from data_shards.raw import raw_samples
from data_shards.stream import Broken, streamed_batches
from data_shards.views import View
from tests import made

LOGMEL = LogMel()


@pytest.fixture(scope="module")
def packed(tmp_path_factory):
    return made.make(tmp_path_factory.mktemp("data") / "tones")


@pytest.fixture
def own(packed, tmp_path):
    """A copy that a test may damage."""
    shutil.copytree(packed.folder, tmp_path / "own")
    return made.load(tmp_path / "own")


def _batches(
    data, *, epoch=1, seed=0, workers=0, max_broken=0.001, kind="random", splits=("train",),
    front=LOGMEL,
):  # fmt: skip
    return list(
        streamed_batches(
            data, splits, view=View(32, kind=kind), front=front, seed=seed, epoch=epoch,
            batch_size=16, workers=workers, broken=Broken(max_broken, 60),
        )
    )  # fmt: skip


class _InOneProcess(LogMel):
    """As a front end on a GPU, which loader processes cannot use."""

    home = os.getpid()

    @property
    def in_workers(self):
        return False

    def __call__(self, wave_N):
        assert os.getpid() == self.home
        return super().__call__(wave_N)


@pytest.mark.parametrize("workers", [0, 2])
def test_a_front_end_on_a_gpu_runs_outside_the_loader_processes(packed, workers):
    found = _batches(packed, workers=workers, front=_InOneProcess())
    assert _same(found, _batches(packed))


def _read(data):
    return list(raw_samples(data, data.manifest.splits["train"].shards[0]))


def _tar(members):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, content in members:
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


def _same(left, right):
    return len(left) == len(right) and all(
        a.image_ids == b.image_ids
        and torch.equal(a.image, b.image)
        and torch.equal(a.frames_BTF, b.frames_BTF)
        and torch.equal(a.length_B, b.length_B)
        and torch.equal(a.class_B, b.class_B)
        for a, b in zip(left, right, strict=True)
    )


def test_an_epoch_is_every_image_once_but_the_last_smaller_batch(packed):
    batches = _batches(packed)
    ids = [image_id for batch in batches for image_id in batch.image_ids]
    assert [len(batch.image_ids) for batch in batches] == [16, 16, 16]  # of 60
    assert len(set(ids)) == 48


def test_padding_is_zero_and_lengths_are_those_of_the_captions(packed):
    for batch in _batches(packed):
        for frames_TF, length in zip(batch.frames_BTF, batch.length_B, strict=True):
            assert frames_TF[length:].abs().sum() == 0
            assert torch.allclose(frames_TF[:length].mean(dim=0), torch.zeros(40), atol=1e-3)


@pytest.mark.parametrize("workers", [1, 2, 3, 50])
def test_the_number_of_workers_changes_no_batch(packed, workers):
    assert _same(_batches(packed), _batches(packed, workers=workers))


def test_ranks_left_in_the_environment_drop_no_shard(packed, monkeypatch):
    monkeypatch.setenv("RANK", "1")
    monkeypatch.setenv("WORLD_SIZE", "2")
    assert _same(_batches(packed, workers=2), _batches(packed))


def test_epochs_and_seeds_differ_in_order_caption_and_crop(packed):
    first, again = _batches(packed), _batches(packed)
    assert _same(first, again)
    for other in (_batches(packed, epoch=2), _batches(packed, seed=1)):
        assert first[0].image_ids != other[0].image_ids
    by_id = {i: b.image[k] for b in first for k, i in enumerate(b.image_ids)}
    other = {i: b.image[k] for b in _batches(packed, epoch=2) for k, i in enumerate(b.image_ids)}
    shared = by_id.keys() & other.keys()
    assert any(not torch.equal(by_id[i], other[i]) for i in shared)


def test_reading_does_not_touch_the_global_generator(packed):
    before = torch.get_rng_state()
    _batches(packed, workers=1)
    assert torch.equal(before, torch.get_rng_state())


def test_two_splits_are_read_as_one(packed):
    ids = {i for b in _batches(packed, splits=("train", "val")) for i in b.image_ids}
    assert any(i.startswith("val") for i in ids)


KEY, SHARD = "train_01_00", "train-00000.tar"


@pytest.mark.parametrize(
    ("suffix", "content"),
    [("jpg", made.jpeg(0, 1)[:600]), ("jpg", b"no picture"), ("json", b"{"), ("0.flac", b"fLaC")],
)
def test_a_broken_sample_is_named_and_fails_the_trial_above_the_limit(own, suffix, content):
    own = made.replace_member(own, SHARD, f"{KEY}.{suffix}", content)
    with pytest.raises(DataError, match=rf"{KEY} in .*{SHARD}") as caught:
        _batches(own)
    assert "max_broken" in str(caught.value)
    assert "\n" not in str(caught.value)
    kept = {i for b in _batches(own, max_broken=0.05) for i in b.image_ids}
    assert KEY not in kept


def test_speech_of_another_rate_is_broken(own):
    own = made.replace_member(own, SHARD, f"{KEY}.0.flac", made.flac(0, 1, rate=8000))
    with pytest.raises(DataError, match="mono at 16000 Hz"):
        _batches(own)


@pytest.mark.parametrize("workers", [0, 2])
def test_a_missing_shard_is_one_line(own, workers):
    (Path(own.folder) / SHARD).unlink()
    with pytest.raises(DataError, match=r"train-00000\.tar is missing") as caught:
        _batches(own, workers=workers)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("keep", [0.0, 0.3, 0.7])
def test_a_shard_cut_short_is_named(own, keep):
    path = Path(own.folder) / SHARD
    path.write_bytes(path.read_bytes()[: int(keep * path.stat().st_size)])
    with pytest.raises(DataError, match=r"train-00000\.tar is damaged"):
        _batches(own, max_broken=0.9)


def test_code_in_a_shard_is_refused(own):
    path = Path(own.folder) / SHARD
    path.write_bytes(made.tar({"a": {"pyd": b"import os"}}))
    own = made.sign(own)
    with pytest.raises(DataError, match=r"must hold only .* 'a\.pyd'") as caught:
        _read(own)
    assert " object at 0x" not in str(caught.value)  # WebDataset writes its stream behind texts


def test_a_member_that_stands_twice_is_refused(own):
    one = made.members("a", 0, 1, captions=1)
    members = [(f"a.{suffix}", content) for suffix, content in one.items()]
    (Path(own.folder) / SHARD).write_bytes(_tar([*members, *members]))
    own = made.sign(own)
    with pytest.raises(DataError, match=r"train-00000\.tar is damaged"):
        _read(own)


@pytest.mark.parametrize("suffix", ["jpg", "1.flac", "json"])
def test_a_lost_member_is_a_damaged_shard_however_much_may_be_broken(own, suffix):
    """A tar that is cut between two members reads like a whole one."""
    one = made.members("a", 0, 1, captions=2)
    members = [(f"a.{name}", content) for name, content in one.items() if name != suffix]
    (Path(own.folder) / SHARD).write_bytes(_tar(members))
    own = made.sign(own)
    with pytest.raises(DataError, match=rf"train-00000\.tar is damaged: a lacks its {suffix}"):
        _batches(own, max_broken=0.9)


def test_flipped_bytes_never_end_in_a_traceback(own):
    path = Path(own.folder) / SHARD
    whole = path.read_bytes()
    rng = np.random.default_rng(0)
    headers = [place for place in range(0, len(whole), 512) if whole[place + 257 :][:5] == b"ustar"]
    for header in rng.choice(headers, 150):
        flipped = bytearray(whole)
        flipped[header + rng.integers(512)] ^= 1 << rng.integers(8)
        path.write_bytes(flipped)
        with contextlib.suppress(DataError):
            _read(made.sign(own))


def test_a_byte_flipped_in_a_picture_is_found_by_the_hash(own):
    """It still decodes; without the hash it would be trained on under the old name."""
    path = Path(own.folder) / SHARD
    content = bytearray(path.read_bytes())
    content[content.index(b"\xff\xda") + 400] ^= 1  # in the scan of the first JPEG
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"train-00000\.tar is damaged: its SHA-256"):
        _batches(own)


def test_a_batch_larger_than_the_data_is_refused(packed):
    with pytest.raises(UsageError, match="batch_size must be at most .* 24, but got 32"):
        list(
            streamed_batches(
                packed, ["test"], view=View(32), front=LogMel(), seed=0, epoch=1, batch_size=32,
                workers=0, broken=Broken(0.0, 24),
            )
        )  # fmt: skip


def test_a_pipe_is_never_opened(packed, tmp_path):
    with pytest.raises(UsageError, match="must be a path or one of"):
        made.load(f"pipe:touch {tmp_path}/ran;://x")
    assert list(tmp_path.iterdir()) == []
