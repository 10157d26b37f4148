"""Data sets that want to do harm: each is refused in one line."""

import io
import json
import tarfile

import numpy as np
import pytest
import soundfile
from PIL import Image

from data_shards import manifest, outside, recordings, sound
from data_shards.datasets.base import Photograph
from data_shards.errors import DataError
from data_shards.images import decoded, to_jpeg
from data_shards.raw import raw_samples
from data_shards.tar_members import ForeignMember, members
from data_shards.views import View
from tests import made


def one_line(error):
    text = str(error.value)
    assert "\n" not in text
    assert len(text) < 700
    return text


@pytest.fixture(scope="module")
def about(tmp_path_factory):
    """A right manifest, as a value."""
    data = made.make(tmp_path_factory.mktemp("data") / "tones")
    return json.loads(data.manifest.to_json())


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", "pipe:touch x.tar"), ("name", "/etc/x.tar"), ("name", "../x.tar"),
        ("name", "s3://b/x.tar"), ("name", "a/x.tar"), ("name", ".x.tar"), ("name", 3),
        ("name", "x.tar\n"), ("samples", -1), ("samples", 1.0), ("samples", True),
        ("samples", 10**12), ("captions", "3"), ("sha256", "../" * 21 + "x"), ("sha256", "A" * 64),
    ],
)  # fmt: skip
def test_shards_of_a_hostile_manifest(about, field, value):
    value = json.loads(json.dumps(about)) | {"hostile": value}
    value["splits"]["train"]["shards"][0][field] = value.pop("hostile")
    with pytest.raises(DataError, match=f"a shard's {field} must") as error:
        manifest.parse(json.dumps(value).encode(), "here")
    one_line(error)


@pytest.mark.parametrize(
    "changed",
    [
        {"dataset": "<b>"}, {"dataset": "../x"}, {"source": "\x1b[2J"}, {"source": None},
        {"options": []}, {"options": {"x": float("nan")}}, {"options": {"x": float("inf")}},
        {"speech": {"voices": "all"}}, {"speech": {"voices": [1]}}, {"skipped": {"x": -1}},
        {"skipped": []}, {"splits": {"../x": {"classes": [], "shards": []}}}, {"splits": 3},
        {"source": "\ud800"}, {"schema": True}, {"more": 1},
    ],
)  # fmt: skip
def test_other_fields_of_a_hostile_manifest(about, changed):
    with pytest.raises(DataError) as error:
        manifest.parse(json.dumps(about | changed).encode(), "here")
    one_line(error)


def test_a_shard_named_twice(about):
    value = json.loads(json.dumps(about))
    value["splits"]["train"]["shards"] *= 2
    with pytest.raises(DataError, match="each of its shards once"):
        manifest.parse(json.dumps(value).encode(), "here")


def test_a_manifest_nested_too_deeply():
    with pytest.raises(DataError, match="nested too deeply") as error:
        manifest.parse(b'{"schema": ' + b"[" * 200_000, "here")
    one_line(error)


def test_a_manifest_of_gigabytes_is_not_read(tmp_path):
    with (tmp_path / "manifest.json").open("wb") as stream:
        stream.truncate(2**36)  # sparse: it takes no room
    with pytest.raises(DataError, match="must have at most 67108864 bytes"):
        manifest.load(tmp_path)


def _archive(name, kind=tarfile.REGTYPE, form=tarfile.GNU_FORMAT, **fields):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=form) as tar:
        info = tarfile.TarInfo(name)
        info.type = kind
        for field, value in fields.items():
            setattr(info, field, value)
        tar.addfile(info)
    return buffer.getvalue()


@pytest.mark.parametrize("kind", [b"1", b"2", b"3", b"4", b"5", b"6", b"7", b"S", b"L", b"x", b"g"])
def test_links_devices_and_headers_that_go_on(kind):
    with pytest.raises(ForeignMember, match="must hold only"):
        list(members(_archive("a.jpg", kind, linkname="/etc/passwd")))


@pytest.mark.parametrize(
    "name",
    ["/a.jpg", "../a.jpg", "b/a.jpg", "a.pyd", "a.pkl", "a.JPG", "a.1.2.flac", ".jpg", "a.jpg" * 60,
     "a\x1b.jpg", "é.jpg"],
)  # fmt: skip
@pytest.mark.parametrize("form", [tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_names_that_are_not_ours(name, form):
    with pytest.raises(ForeignMember, match="must hold only"):
        list(members(_archive(name, form=form)))


def test_a_member_that_claims_a_huge_size():
    content = bytearray(made.tar({"a": {"jpg": b"x"}}))
    content[124:136] = b"77777777777\0"
    content[148:156] = b" " * 8
    content[148:156] = b"%06o\0 " % sum(content[:512])
    with pytest.raises(tarfile.ReadError, match=r"a\.jpg ends early"):
        list(members(bytes(content)))


@pytest.mark.parametrize("text", [{"class_id": 1e400}, {"class_id": 99}, {"image_id": "<b>"},
                                  {"captions": {}}, {"captions": [[]]}])  # fmt: skip
def test_the_text_of_a_sample(tmp_path, text):
    data = made.make(tmp_path / "tones", per_class=1)
    key = "train_01_00"
    about = json.loads(made.members(key, 0, 1, captions=1)["json"]) | text
    data = made.replace_member(data, "train-00000.tar", f"{key}.json", json.dumps(about).encode())
    first = next(raw_samples(data, data.manifest.splits["train"].shards[0]))
    assert isinstance(first, str)
    assert first.startswith(f"{key} in ")


def _png(side):
    buffer = io.BytesIO()
    Image.new("1", (side, side)).save(buffer, "PNG")
    return buffer.getvalue()


def _claiming(side):
    """A JPEG whose header claims another size."""
    content = bytearray(made.jpeg(0, 1))
    frame = content.index(b"\xff\xc0")
    content[frame + 5 : frame + 9] = side.to_bytes(2, "big") * 2
    return bytes(content)


@pytest.mark.parametrize("side", [4000, 12_000, 65_000])
def test_a_bomb_is_not_decoded(side):
    with pytest.raises(ValueError, match="must be small|exceeds limit"):
        decoded(_claiming(side))


def test_a_picture_of_another_kind():
    with pytest.raises(OSError, match="cannot identify"):
        View(16)(_png(16))


def test_a_program_in_the_place_of_a_photograph(tmp_path):
    """Pillow hands PostScript to Ghostscript."""
    path = tmp_path / "a.jpg"
    Image.new("RGB", (20, 20)).save(path, "EPS")
    source = Photograph(image_id="a", class_id=1, class_name="a", captions=("a",), path=path)
    with pytest.raises(DataError, match="must decode wholly"):
        to_jpeg(source)


def _hours(frames=2**35):
    """A FLAC whose header claims so many samples."""
    content = bytearray(made.flac(0, 1))
    content[21] = (content[21] & 0xF0) | frames >> 32
    content[22:26] = (frames & 0xFFFFFFFF).to_bytes(4, "big")
    return bytes(content)


def test_speech_that_claims_hours(tmp_path):
    with pytest.raises(ValueError, match="must be at most 300 s"):
        sound.wave(_hours())
    path = tmp_path / "image" / "1.flac"
    path.parent.mkdir()
    path.write_bytes(_hours())
    with pytest.raises(DataError, match="must be at most 300 s"):
        recordings.read(recordings.identify(path))


def test_speech_that_is_no_flac():
    buffer = io.BytesIO()
    soundfile.write(buffer, np.full(1600, np.nan), 16_000, format="WAV", subtype="FLOAT")
    with pytest.raises(ValueError, match="must be FLAC"):
        sound.wave(buffer.getvalue())


def test_a_recording_at_a_rate_that_none_has(tmp_path):
    path = tmp_path / "image" / "1.wav"
    path.parent.mkdir()
    soundfile.write(path, np.ones(100), 2_000_003)
    with pytest.raises(DataError, match="2000003 Hz"):
        recordings.read(recordings.identify(path))


def test_json_values_are_shown_short():
    assert len(outside.shown("x" * 10**6)) < 100
