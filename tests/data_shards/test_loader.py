"""Cached batches equal streamed ones; evaluation sees every caption once."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from data_shards.columns import SplitFeatures
from data_shards.errors import DataError, UsageError
from data_shards.feature_store import Store
from data_shards.features import derive_images, derive_speech
from data_shards.loader import cached_batches, caption_chunks, image_chunks
from data_shards.logmel import LogMel
from data_shards.stream import Broken, streamed_batches
from data_shards.views import View
from data_shards.voices import ALL, Voices
from tests import made


@pytest.fixture(scope="module")
def packed(tmp_path_factory):
    return made.make(tmp_path_factory.mktemp("data") / "tones")


@pytest.fixture(scope="module")
def voiced(tmp_path_factory):
    return made.make(tmp_path_factory.mktemp("data") / "voiced", voices=("a", "b", "c", "d"))


def _features(
    data, cache, split="train", *, transform=lambda pixels: pixels, key="pixels", limit=0.0,
    joint=1.0, voices=ALL,
):  # fmt: skip
    images = derive_images(
        data, split, key=key, view=View(32), transform=transform, store=Store(cache),
        max_broken=limit,
    )  # fmt: skip
    speech = derive_speech(data, split, front=LogMel(), store=Store(cache), max_broken=limit)
    shard_samples = [shard.samples for shard in data.manifest.splits[split].shards]
    return SplitFeatures((images,), speech, shard_samples, joint, voices)


ONE, MANY = (Voices(tuple(among), beside="a", seed=3) for among in ("a", "abc"))


@pytest.mark.parametrize("epoch", [1, 2])
@pytest.mark.parametrize(
    ("voices", "images"),  # half of the 60 + 18 images, of 1, 2 or 3 captions, have one in a voice
    [(ALL, 78), (Voices(("d",)), 39), (ONE, 39), (MANY, 39)],
)
def test_cached_batches_equal_streamed_ones(voiced, tmp_path, epoch, voices, images):
    features = [_features(voiced, tmp_path, split, voices=voices) for split in ("train", "val")]
    cached = list(cached_batches(features, seed=3, epoch=epoch, batch_size=16))
    broken = Broken(0.0, 78)
    streamed = list(
        streamed_batches(
            voiced, ["train", "val"], view=View(32), front=LogMel(), seed=3, epoch=epoch,
            batch_size=16, workers=0, broken=broken, voices=voices,
        )
    )  # fmt: skip
    assert len(cached) == len(streamed) == images // 16
    assert broken.unspoken == sum(split.unspoken for split in features) == 78 - images
    assert broken.reasons == []
    for left, right in zip(cached, streamed, strict=True):
        assert left.image_ids == right.image_ids
        assert torch.equal(left.image, right.image)
        assert torch.equal(left.length_B, right.length_B)
        assert torch.equal(left.class_B, right.class_B)
        assert torch.equal(left.frames_BTF, right.frames_BTF)


def test_evaluation_sees_every_caption_of_its_image_once(packed, tmp_path):
    features = _features(packed, tmp_path, "test")
    assert len(features.image_classes) == packed.manifest.splits["test"].samples
    assert len(features.caption_classes) == packed.manifest.splits["test"].captions
    places, longest = [], 0
    for place_B, frames_BTF, length_B in caption_chunks(features, 7):
        assert frames_BTF.shape[1] == int(length_B.max())
        assert int(length_B.min()) >= longest
        longest = int(length_B.max())
        for place, frames_TF, length in zip(place_B, frames_BTF, length_B, strict=True):
            expected = features.frames(int(features.captions[place])).float()
            assert torch.equal(frames_TF[:length], expected)
            places.append(int(place))
    assert sorted(places) == list(range(len(features.caption_classes)))
    images = torch.cat(list(image_chunks(features, 5)))
    np.testing.assert_array_equal(images.numpy(), features.images.values)


def test_only_captions_in_the_voices_asked_for_are_evaluated_on_all_images(voiced, tmp_path):
    """Slow, obvious: by the rule that `made` packs voices by."""
    features = _features(voiced, tmp_path, "test", voices=Voices(("b", "d")))
    images = [(c, i) for i in range(6) for c in range(14, 18)]
    spoken = [(c, "abcd"[(c + i + n) % 4]) for c, i in images for n in range(1 + i % 3)]
    expected = [(c, voice) for c, voice in spoken if voice in "bd"]
    voices = features.speech.voices[features.captions].tolist()
    assert list(zip(features.caption_classes.tolist(), voices, strict=True)) == expected
    assert features.image_classes.tolist() == [c for c, _ in images]
    places = torch.cat([place_B for place_B, _, _ in caption_chunks(features, 5)])
    assert sorted(places.tolist()) == list(range(len(expected)))


def test_captions_follow_their_images_class(packed, tmp_path):
    """Slow, obvious: count each class' captions in the manifest."""
    features = _features(packed, tmp_path, "test")
    counted = {c.id: c.captions for c in packed.manifest.splits["test"].classes}
    classes, counts = np.unique(features.caption_classes, return_counts=True)
    assert dict(zip(classes.tolist(), counts.tolist(), strict=True)) == counted


def test_a_transform_is_kept_as_float16_and_computed_once(packed, tmp_path):
    calls = []

    def mean(pixels):
        calls.append(len(pixels))
        return pixels.float().mean(dim=(2, 3))

    first = _features(packed, tmp_path, "val", transform=mean, key="mean")
    count = len(calls)
    second = _features(packed, tmp_path, "val", transform=mean, key="mean")
    assert len(calls) == count
    assert first.images.values.dtype == np.float16
    np.testing.assert_array_equal(first.images.values, second.images.values)
    assert _features(packed, tmp_path, "val").images.values.dtype == np.uint8


@pytest.mark.parametrize("suffix", ["jpg", "0.flac"])
def test_a_broken_image_or_caption_drops_its_sample_from_both_columns(packed, tmp_path, suffix):
    shutil.copytree(packed.folder, tmp_path / "own")
    own = made.load(tmp_path / "own")
    own = made.replace_member(own, "train-00001.tar", f"train_03_01.{suffix}", b"broken")
    with pytest.raises(DataError, match="train_03_01"):
        _features(own, tmp_path / "strict")
    assert not [p for p in (tmp_path / "strict").iterdir() if p.name.startswith(".half")]
    features = _features(own, tmp_path / "lax", limit=0.05)
    assert features.dropped == 1
    assert len(features.image_classes) == 59
    batches = cached_batches([features], seed=0, epoch=1, batch_size=59)
    assert "train_03_01" not in next(batches).image_ids


def test_a_column_made_for_a_looser_trial_still_fails_a_strict_one(packed, tmp_path):
    shutil.copytree(packed.folder, tmp_path / "own")
    own = made.load(tmp_path / "own")
    own = made.replace_member(own, "train-00001.tar", "train_03_01.jpg", b"broken")
    assert _features(own, tmp_path / "cache", limit=0.05).dropped == 1
    with pytest.raises(DataError, match=r"train_03_01 in .*train-00001\.tar"):
        _features(own, tmp_path / "cache", limit=0.0)


def test_columns_that_are_each_whole_enough_may_together_not_be(packed, tmp_path):
    shutil.copytree(packed.folder, tmp_path / "own")
    own = made.load(tmp_path / "own")
    own = made.replace_member(own, "train-00001.tar", "train_03_01.jpg", b"broken")
    own = made.replace_member(own, "train-00002.tar", "train_03_02.0.flac", b"broken")
    assert _features(own, tmp_path / "cache", limit=0.02, joint=0.04).dropped == 2  # of 60
    with pytest.raises(DataError, match="at most 2.00% of 60 samples .* but 2 are"):
        _features(own, tmp_path / "cache", limit=0.02, joint=0.02)


def test_a_batch_larger_than_what_is_readable_is_refused(packed, tmp_path):
    features = _features(packed, tmp_path, "val")
    with pytest.raises(UsageError, match="batch_size must be at most .* 18, but got 19"):
        next(cached_batches([features], seed=0, epoch=1, batch_size=19))


_WRITER = """
import sys, time
from pathlib import Path
from data_shards import manifest
from data_shards.feature_store import Store
from data_shards.features import derive_images
from data_shards.views import View

def slow(pixels):
    print("writing", flush=True)
    time.sleep(float(sys.argv[3]))
    return pixels

derive_images(manifest.load(sys.argv[1]), "train", key="pixels", view=View(32), transform=slow,
              store=Store(Path(sys.argv[2])), max_broken=0.0)
"""


def _writer(data, cache, seconds):
    arguments = [sys.executable, "-c", _WRITER, data.folder, str(cache), str(seconds)]
    return subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True)


def test_a_killed_writer_leaves_nothing_half(packed, tmp_path):
    writer = _writer(packed, tmp_path, 60)
    assert writer.stdout.readline() == "writing\n"
    os.kill(writer.pid, signal.SIGKILL)
    writer.wait()
    assert len(_features(packed, tmp_path).image_classes) == 60
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".half")]


def test_of_two_writers_one_writes_and_the_other_waits(packed, tmp_path):
    first = _writer(packed, tmp_path, 2)
    assert first.stdout.readline() == "writing\n"
    second = _writer(packed, tmp_path, 2)
    assert first.wait(timeout=60) == second.wait(timeout=60) == 0
    assert second.stdout.read() == ""
    assert len([p for p in Path(tmp_path).iterdir() if p.is_dir()]) == 1


def test_columns_are_mapped_not_read(packed, tmp_path):
    features = _features(packed, tmp_path)
    assert isinstance(features.images.values, np.memmap)
    assert isinstance(features.speech.frames_TF, np.memmap)
