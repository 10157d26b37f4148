"""One voice against many: what is trained and tested on, against the shards read by hand."""

import io
import json
import tarfile
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

from data_shards import manifest
from data_shards.datasets.oxford102 import read
from data_shards.errors import DataError, UsageError
from data_shards.feature_store import Store
from data_shards.logmel import LogMel
from data_shards.pack import pack
from tests import made
from tests.data_shards.flowers import oxford_folder, write_list
from trainables.data_check import check_data
from trainables.experiment import Experiment
from trainables.inputs import Inputs
from trainables.model import DualEncoder
from trainables.training import train
from trainables.voices import wanted

TINY = Experiment(
    image_encoder="small", image_size=32, views="one", embedding=8, speech_attention_hidden=4,
    batch_size=4, epochs=1, selection="last",
)  # fmt: skip
ARMS = ("one", "many")


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """Captions spoken by espeak: 2 an image, 4 voices, so that each image lacks two."""
    folder = tmp_path_factory.mktemp("voices")
    root = oxford_folder(folder / "flowers", classes=6, images=5, captions=2)
    write_list(root, "trainvalclasses.txt", classes=[3, 4, 5, 6])
    write_list(root, "testclasses.txt", classes=[1, 2])
    pack(
        read(root), folder / "data", captions=2, voices=4, workers=2, samples_per_shard=8,
        show=False,
    )  # fmt: skip
    return manifest.load(folder / "data"), folder / "cache"


def _spoken(data, split):
    """Of every image: its captions' voices, and their frames by voice, from the tar files."""
    voices, frames = {}, {}
    for shard in data.manifest.splits[split].shards:
        with tarfile.open(Path(data.folder) / shard.name) as archive:
            content = {info.name: archive.extractfile(info).read() for info in archive}
        for about in (json.loads(text) for name, text in content.items() if name.endswith("json")):
            image_id = about["image_id"]
            voices[image_id] = [caption["voice"] for caption in about["captions"]]
            for number, voice in enumerate(voices[image_id]):
                wave, _ = soundfile.read(
                    io.BytesIO(content[f"{image_id}.{number}.flac"]), dtype="float32"
                )
                frames[image_id, voice] = LogMel()(torch.from_numpy(wave)).half().float()
    return voices, frames


def _trained(place, experiment, epoch):
    """The voice of each image's caption in an epoch, as found by its frames."""
    data, cache = place
    _, frames = _spoken(data, "train")
    heard = {}
    for batch in Inputs(experiment, DualEncoder(experiment), data, Store(cache)).training_batches(
        epoch
    ):
        for row, image_id in enumerate(batch.image_ids):
            frames_TF = batch.frames_BTF[row, : batch.length_B[row]]
            (heard[image_id],) = (
                voice
                for (image, voice), own_TF in frames.items()
                if image == image_id and torch.equal(frames_TF, own_TF)
            )
    return heard


def _train(place, checkpoints, experiment):
    """The loss of the epoch, and the outcome."""
    data, cache = place
    generator = train(experiment, data=data, cache=cache, checkpoints=str(checkpoints))
    (loss,) = (report.loss for report in [next(generator)])
    with pytest.raises(StopIteration) as end:
        next(generator)
    return loss, end.value.value


@pytest.mark.parametrize("features", ["cached", "live"])
def test_arms_hear_their_voices_of_the_same_images_in_every_epoch(place, features):
    data, _ = place
    voices, _ = _spoken(data, "train")
    first, *_, unheard = data.manifest.speech["voices"]
    usable = {image_id for image_id, own in voices.items() if first in own}
    assert 6 <= len(usable) < len(voices) == 20
    batch_size = len(usable) // 2
    heard = {
        (arm, epoch): _trained(
            place,
            TINY.replace(training_voices=arm, features=features, batch_size=batch_size),
            epoch,
        )
        for arm in ARMS
        for epoch in (1, 2)
    }
    for epoch in (1, 2):
        one, many = heard["one", epoch], heard["many", epoch]
        assert list(one) == list(many)  # in the same order too
        assert len(one) == 2 * batch_size
        assert set(one) <= usable
        assert set(one.values()) == {first}
        assert len(set(many.values())) > 1
        assert unheard not in many.values()
    shared = heard["many", 1].keys() & heard["many", 2].keys()
    assert all(heard["many", 1][i] == heard["many", 2][i] for i in shared)
    assert list(heard["many", 1]) != list(heard["many", 2])


@pytest.mark.parametrize("arm", ARMS)
def test_all_captions_in_unheard_voices_are_tested_and_cached_equals_live(place, tmp_path, arm):
    data, _ = place
    voices, _ = _spoken(data, "test")
    trained, _ = _spoken(data, "train")
    first, *_, unheard = data.manifest.speech["voices"]
    asked = Counter(voice for own in voices.values() for voice in own)[unheard]
    assert 0 < asked < len(voices) == 10
    found = [
        _train(place, tmp_path / features, TINY.replace(training_voices=arm, features=features))
        for features in ("cached", "live")
    ]
    for _, outcome in found:
        assert outcome.queries["s2i_rank"].shape == (asked,)
        assert outcome.queries["i2s_rank"].shape == (10,)  # the images all stay in the gallery
        assert outcome.dropped == {"train": 0, "test": 0}
        assert outcome.unspoken == {
            "train": sum(first not in own for own in trained.values()),
            "test": len(voices) - asked,
        }
    (loss, cached), (same, live) = found
    assert loss == same
    assert cached.test == live.test
    for name, values in cached.queries.items():
        np.testing.assert_array_equal(values, live.queries[name])


def test_arms_differ_in_their_result_and_all_voices_leave_nobody_out(place, tmp_path):
    arms = {
        arm: _train(place, tmp_path / arm, TINY.replace(training_voices=arm))
        for arm in (*ARMS, "all")
    }
    assert len({loss for loss, _ in arms.values()}) == 3
    _, outcome = arms["all"]
    assert outcome.unspoken == {"train": 0, "test": 0}
    assert outcome.queries["s2i_rank"].shape == (20,)


@pytest.mark.parametrize("features", ["cached", "live"])
def test_a_training_split_without_the_first_voice_is_one_line(tmp_path, features):
    """The manifest names a voice that nobody speaks in."""
    voices = ("a", "b", "c")
    data = made.make(tmp_path / "tones", voices=voices, per_class=2)
    (tmp_path / "tones" / "manifest.json").write_text(
        data.manifest.to_json().replace('"a",', '"z",')
    )
    experiment = TINY.replace(training_voices="one", features=features, epochs=1)
    with pytest.raises(DataError, match="an image to train on must have a caption in z, but"):
        _train((made.load(tmp_path / "tones"), tmp_path / "cache"), tmp_path / "c", experiment)


def test_a_test_split_without_unheard_voices_is_one_line(tmp_path):
    data = made.make(tmp_path / "tones", voices=("a", "b", "c"), per_class=2)
    (tmp_path / "tones" / "manifest.json").write_text(data.manifest.to_json().replace('"c"', '"z"'))
    experiment = TINY.replace(training_voices="many", epochs=1)
    generator = train(
        experiment, data=made.load(tmp_path / "tones"), cache=tmp_path / "cache",
        checkpoints=str(tmp_path / "c"),
    )  # fmt: skip
    with pytest.raises(DataError, match="of the test split must have a caption in z") as caught:
        list(generator)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("arm", ["one", "many"])
def test_an_epoch_is_chosen_without_the_voices_of_the_test(tmp_path, arm):
    manifest = made.make(tmp_path / "tones", voices=("a", "b", "c", "d")).manifest
    experiment = TINY.replace(training_voices=arm, selection="val")
    found = {split: wanted(experiment, manifest, split).among for split in ("val", "test")}
    assert found == {"val": ("a", "b", "c"), "test": ("d",)}


def test_data_whose_images_are_classes_of_their_own_is_refused(tmp_path):
    data = made.make(tmp_path / "tones", voices=("a", "b", "c"), per_class=1)
    with pytest.raises(UsageError, match="needs classes of several images"):
        check_data(TINY.replace(training_voices="one", batch_size=4), data.manifest)
