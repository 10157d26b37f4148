"""A data set's own recordings: packed as they are; what cannot be heard is counted and named."""

import io
import json
import tarfile

import numpy as np
import pytest
import soundfile

from data_shards import manifest, takes
from data_shards.datasets.flickr8k import read
from data_shards.errors import DataError
from data_shards.pack import pack
from data_shards.verify import verify
from tests.data_shards.scenes import (
    RATE,
    change,
    flickr_folder,
    image_id,
    pitch,
    speaker,
    text,
    tone,
    wav,
)

MISSING, UNHEARD = "recordings that are missing", "recordings that are empty, silent or damaged"


@pytest.fixture
def root(tmp_path):
    return flickr_folder(tmp_path / "flickr", captions=2)


def packed(root, out, **options):
    return pack(read(root), out, **({"captions": None, "workers": 1, "show": False} | options))


def members(out):
    """All members of all shards."""
    found = {}
    for path in out.glob("*.tar"):
        with tarfile.open(path) as tar:
            found |= {member.name: tar.extractfile(member).read() for member in tar}
    return found


def sound(content):
    return soundfile.read(io.BytesIO(content), dtype="int16")


def pitch_of(samples):
    return np.abs(np.fft.rfft(samples, 1 << 16)).argmax() * RATE / (1 << 16)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """All eight images, five captions each."""
    folder = tmp_path_factory.mktemp("flickr")
    root = flickr_folder(folder / "root")
    return root, folder / "out", packed(root, folder / "out", workers=2, samples_per_shard=2)


def test_the_packed_set_is_whole(whole):
    _, out, made = whole
    assert verify(manifest.load(out)) == []
    sizes = {name: (s.samples, s.captions, len(s.classes)) for name, s in made.splits.items()}
    assert sizes == {"train": (4, 20, 4), "val": (2, 10, 2), "test": (2, 10, 2)}
    assert made.skipped == {}
    assert made.speech["engine"] == "recordings"
    assert made.speech["voices"] == ["speaker 1", "speaker 2", "speaker 3"]
    assert made.speech["files"] == 40


def test_each_caption_is_what_was_spoken_by_whom(whole):
    root, out, _ = whole
    inside = members(out)
    for image in range(8):
        about = json.loads(inside[f"{image_id(image)}.json"])
        assert about["class_id"] == image + 1
        for number, caption in enumerate(about["captions"]):
            assert caption["text"] == text(image, number)
            assert caption["voice"] == f"speaker {speaker(image, number)}"
            assert caption["recording"]["file"] == f"wavs/{wav(image, number)}"
            samples, rate = sound(inside[f"{image_id(image)}.{number}.flac"])
            said, _ = soundfile.read(root / "wavs" / wav(image, number), dtype="int16")
            assert rate == RATE
            np.testing.assert_array_equal(samples, said)


def test_the_machine_is_not_in_it(whole):
    root, out, made = whole
    texts = b"".join(content for name, content in members(out).items() if name.endswith("json"))
    assert str(root) not in made.to_json() + texts.decode()


def test_a_number_of_captions(root, tmp_path):
    made = packed(root, tmp_path / "out", captions=1)
    assert {name: split.captions for name, split in made.splits.items()} == {
        "train": 4,
        "val": 2,
        "test": 2,
    }
    assert made.speech["files"] == 8


def test_captions_without_texts(root, tmp_path):
    (root / "Flickr8k.token.txt").unlink()
    packed(root, tmp_path / "out")
    assert verify(manifest.load(tmp_path / "out")) == []


@pytest.mark.parametrize(
    "samples", [np.zeros(0), np.zeros(800), np.full(800, 1e-7), np.full(800, np.inf)]
)
def test_nothing_to_hear(root, tmp_path, samples):
    soundfile.write(root / "wavs" / wav(2, 1), samples, RATE, subtype="FLOAT")
    made = packed(root, tmp_path / "out")
    assert made.skipped == {UNHEARD: 1}
    about = json.loads(members(tmp_path / "out")[f"{image_id(2)}.json"])
    assert [caption["text"] for caption in about["captions"]] == [text(2, 0)]
    assert verify(manifest.load(tmp_path / "out")) == []


@pytest.mark.parametrize("content", [b"", b"RIFF", b"no sound at all" * 99])
def test_not_audio(root, content):
    (root / "wavs" / wav(2, 1)).write_bytes(content)
    kept, recorded = takes.heard(read(root), workers=2, show=False)
    assert kept.skipped == {UNHEARD: 1}
    assert set(recorded[image_id(2)]) == {0}
    assert sum(map(len, recorded.values())) == 15


def test_another_rate_is_resampled_and_channels_are_averaged(root, tmp_path):
    path = root / "wavs" / wav(2, 1)
    left = tone(pitch(2, 1), rate=44_100)
    soundfile.write(path, np.stack([left, 0 * left], axis=1), 44_100)
    packed(root, tmp_path / "out")
    samples, rate = sound(members(tmp_path / "out")[f"{image_id(2)}.1.flac"])
    assert (rate, samples.ndim, len(samples)) == (RATE, 1, 1600)
    assert abs(pitch_of(samples) - pitch(2, 1)) < 3
    assert abs(np.abs(samples[400:1200]).max() - 4096) < 80  # half of a quarter of full scale


def test_an_image_without_a_caption_that_can_be_heard(root, tmp_path):
    (root / "wavs" / wav(2, 0)).unlink()
    (root / "wavs" / wav(2, 1)).write_bytes(b"")
    made = packed(root, tmp_path / "out")
    assert made.skipped == {MISSING: 1, UNHEARD: 1, "images without a recording": 1}
    assert f"{image_id(2)}.jpg" not in members(tmp_path / "out")
    assert made.splits["train"].samples == 3


def test_reasons_of_the_reader_and_of_listening_are_added(root):
    change(root, "wav2capt.txt", f"{wav(6, 0)} {image_id(6)}.jpg #0\n", "")
    change(root, "wav2capt.txt", f"{wav(6, 1)} {image_id(6)}.jpg #1\n", "")
    for number in (0, 1):
        (root / "wavs" / wav(2, number)).unlink()
    kept, _ = takes.heard(read(root), workers=1, show=False)
    assert kept.skipped == {"images without a recording": 2, MISSING: 2}


def test_what_is_left_out_is_named_in_full(root, capsys):
    for image in range(6):
        (root / "wavs" / wav(image, 0)).unlink()
        (root / "wavs" / wav(image, 1)).unlink()
    (root / "wavs" / wav(6, 1)).write_bytes(b"")
    soundfile.write(root / "wavs" / wav(0, 1), tone(300), RATE)
    takes.heard(read(root), workers=1, show=True)
    told = [line for line in capsys.readouterr().err.splitlines() if line.startswith("Left out")]
    names = [wav(0, 0), *(wav(image, number) for image in range(1, 6) for number in (0, 1))]
    assert told == [
        f"Left out, {MISSING}: {', '.join(names)}.",
        f"Left out, {UNHEARD}: {wav(6, 1)}.",
    ]


def test_no_test_image_is_left(root):
    for image in (6, 7):
        for number in (0, 1):
            (root / "wavs" / wav(image, number)).unlink()
    with pytest.raises(DataError, match="but 4 training and 0 test images have"):
        takes.heard(read(root), workers=1, show=False)


def test_a_recording_that_the_disk_does_not_give_is_no_silent_one(root):
    path = root / "wavs" / wav(0, 0)
    path.unlink()
    path.mkdir()
    with pytest.raises(DataError, match=f"{path.name} cannot be read: .*; run the command again"):
        takes.heard(read(root), workers=1, show=False)
