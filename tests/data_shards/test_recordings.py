"""People's own recordings: which files count, what is read of them, and what is packed."""

import json
import tarfile

import numpy as np
import pytest
import soundfile

from data_shards import manifest, recordings
from data_shards.datasets.oxford102 import read as read_flowers
from data_shards.errors import DataError, UsageError
from data_shards.pack import pack
from data_shards.verify import verify
from tests.data_shards.flowers import oxford_folder


def tone(pitch, *, rate=16_000, seconds=0.3, channels=1):
    time = np.arange(int(rate * seconds)) / rate
    wave = 0.25 * np.sin(2 * np.pi * pitch * time)
    return np.stack([wave] * channels, axis=1)


def record(folder, image_id, number, *, suffix="wav", rate=16_000, pitch=None):
    """A tone whose pitch tells image and caption."""
    path = folder / image_id / f"{number}.{suffix}"
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, tone(pitch or 200 + 7 * hash_of(image_id, number), rate=rate), rate)
    return path


def hash_of(image_id, number):
    return 3 * int(image_id[-5:]) + int(number)


@pytest.fixture
def flowers(tmp_path):
    """One training class, 20 test classes, one image each with three captions, all recorded."""
    root, speech = oxford_folder(tmp_path / "f", classes=21, images=1, captions=3), tmp_path / "s"
    for image in range(1, 22):
        for number in (1, 2, 3):
            record(speech, f"image_{image:05}", number)
    return read_flowers(root), speech


def packed(source, speech, out, **options):
    options = {"captions": None, "workers": 1, "show": False} | options
    return pack(source, out, recordings=speech, **options)


def identified(path):
    return recordings.identify(path)


def members(out, name="test-00000.tar"):
    with tarfile.open(out / name) as tar:
        return {member.name: tar.extractfile(member).read() for member in tar}


def test_packed_speech_is_what_was_recorded(flowers, tmp_path):
    source, speech = flowers
    out = tmp_path / "out"
    made = packed(source, speech, out, workers=2, samples_per_shard=8)
    assert verify(manifest.load(out)) == []
    assert (made.splits["test"].captions, made.splits["train"].captions) == (60, 3)
    assert made.speech["engine"] == "recordings"
    assert (made.speech["files"], made.speech["voices"]) == (63, ["recording"])
    assert "voices" not in made.options
    inside = members(out)
    key = next(iter(inside)).split(".")[0]
    about = json.loads(inside[f"{key}.json"])
    for index, caption in enumerate(about["captions"]):
        assert caption["recording"]["file"] == f"{key}/{index + 1}.wav"
        (out / "x.flac").write_bytes(inside[f"{key}.{index}.flac"])
        heard, rate = soundfile.read(out / "x.flac", dtype="int16")
        said, _ = soundfile.read(speech / key / f"{index + 1}.wav", dtype="int16")
        assert rate == 16_000
        np.testing.assert_array_equal(heard, said)
    assert str(speech) not in made.to_json() + str(about)


def test_another_recording_is_another_data_set(flowers, tmp_path):
    source, speech = flowers
    made = packed(source, speech, tmp_path / "a")
    assert packed(source, speech, tmp_path / "b").hash == made.hash
    record(speech, "image_00004", 2, pitch=999)
    with pytest.raises(UsageError, match="--overwrite"):
        packed(source, speech, tmp_path / "a")
    changed = packed(source, speech, tmp_path / "a", overwrite=True)
    assert changed.hash != made.hash
    assert changed.speech["sha256"] != made.speech["sha256"]
    assert verify(manifest.load(tmp_path / "a")) == []


def test_missing_recordings_are_counted_and_the_first_is_named(flowers, tmp_path):
    source, speech = flowers
    (speech / "image_00005" / "2.wav").unlink()
    (speech / "image_00007" / "1.wav").unlink()
    with pytest.raises(DataError, match=r"2 of 63 have none, .* image_00005/2: .*--captions N"):
        packed(source, speech, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_number_of_captions_takes_recorded_ones_only(flowers, tmp_path):
    source, speech = flowers
    (speech / "image_00005" / "2.wav").unlink()
    for number in (1, 3):
        (speech / "image_00006" / f"{number}.wav").unlink()
    for number in (1, 2, 3):
        (speech / "image_00007" / f"{number}.wav").unlink()
    made = packed(source, speech, tmp_path / "out", captions=2)
    assert verify(manifest.load(tmp_path / "out")) == []
    assert made.skipped == {"images without a recording": 1}
    assert made.splits["test"].samples == 19
    about = {
        name: [c["recording"]["file"] for c in json.loads(content)["captions"]]
        for name, content in members(tmp_path / "out").items()
        if name.endswith("json")
    }
    assert about["image_00005.json"] == ["image_00005/1.wav", "image_00005/3.wav"]
    assert about["image_00006.json"] == ["image_00006/2.wav"]
    assert "image_00007.json" not in about


def test_no_recording_at_all(flowers, tmp_path):
    source, _ = flowers
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match=r"DIR/image_00001/1.wav, but .* 0 training and 0 test"):
        packed(source, tmp_path / "empty", tmp_path / "out", captions=1)
    with pytest.raises(DataError, match=r"63 of 63 have none, the first is image_00021/1"):
        packed(source, tmp_path / "empty", tmp_path / "out")
    with pytest.raises(UsageError, match="--speech must be a folder"):
        packed(source, tmp_path / "none", tmp_path / "out")


@pytest.mark.parametrize("name", ["0.wav", "4.wav", "first.wav", "2", "-1.wav", "1.5.wav"])
def test_a_file_that_is_no_captions(flowers, tmp_path, name):
    source, speech = flowers
    (speech / "image_00003" / name).write_bytes(b"")
    with pytest.raises(
        DataError, match=rf"image_00003 must be named 1.wav to 3.wav .*image_00003/{name}"
    ):
        packed(source, speech, tmp_path / "out")


def test_two_files_of_one_caption(flowers, tmp_path):
    source, speech = flowers
    record(speech, "image_00003", "02", suffix="flac")
    with pytest.raises(DataError, match=r"02\.flac and .*2\.wav"):
        packed(source, speech, tmp_path / "out")


def test_hidden_files_and_other_folders_are_left_alone(flowers, tmp_path):
    source, speech = flowers
    (speech / "image_00003" / ".DS_Store").write_bytes(b"")
    (speech / "notes").mkdir()
    assert packed(source, speech, tmp_path / "out").splits["test"].captions == 60


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"", "must be a sound file"), (b"no sound at all" * 99, "must be a sound file")],
)
def test_not_audio(flowers, tmp_path, content, message):
    source, speech = flowers
    (speech / "image_00003" / "2.wav").write_bytes(content)
    with pytest.raises(DataError, match=rf"{message}, but .*image_00003/2.wav"):
        packed(source, speech, tmp_path / "out")


@pytest.mark.parametrize("samples", [np.zeros(1600), np.zeros(0), np.full(1600, np.nan)])
def test_nothing_to_hear(tmp_path, samples):
    path = record(tmp_path, "image_00001", 1)
    soundfile.write(path, samples, 16_000, subtype="FLOAT")
    with pytest.raises(DataError, match=r"must be heard, but .*image_00001/1.wav"):
        recordings.read(identified(path))


def test_changed_while_packing(tmp_path):
    path = record(tmp_path, "image_00001", 1)
    known = identified(path)
    record(tmp_path, "image_00001", 1, pitch=999)
    with pytest.raises(DataError, match="must not change"):
        recordings.read(known)


def pitch_of(samples):
    return np.abs(np.fft.rfft(samples)).argmax() * 16_000 / len(samples)


@pytest.mark.parametrize("suffix", ["wav", "flac", "ogg", "mp3", "aiff"])
@pytest.mark.parametrize("rate", [8_000, 44_100])
def test_any_format_and_rate_is_read_at_16_khz(tmp_path, suffix, rate):
    path = tmp_path / "image_00001" / f"1.{suffix}"
    path.parent.mkdir()
    soundfile.write(path, tone(440, rate=rate, seconds=1), rate)
    samples = recordings.read(identified(path))
    assert samples.dtype == np.int16
    assert abs(len(samples) - 16_000) < 1200  # MP3 pads
    assert abs(pitch_of(samples) - 440) < 2
    assert abs(np.abs(samples).max() - 8192) < 900


@pytest.mark.parametrize("subtype", ["FLOAT", "PCM_24", "PCM_U8"])
def test_sample_formats_keep_their_level(tmp_path, subtype):
    path = record(tmp_path, "image_00001", 1)
    soundfile.write(path, tone(440), 16_000, subtype=subtype)
    assert abs(np.abs(recordings.read(identified(path))).max() - 8192) < 150


def test_channels_are_averaged(tmp_path):
    path = record(tmp_path, "image_00001", 1)
    both = np.stack([[0.5, 0.25, -1.0], [0.0, 0.25, -1.0]], axis=1)
    soundfile.write(path, both, 16_000, subtype="FLOAT")
    assert recordings.read(identified(path)).tolist() == [8192, 8192, -32768]
