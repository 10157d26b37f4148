"""Any sound and any picture is taken; what is none, or a trap, is said in one line."""

import io
import struct

import numpy as np
import pytest
import soundfile
import torch
from PIL import Image

from data_shards.errors import DataError, UsageError
from data_shards.sound import wave
from orchestrator.query import asked
from tests import made


def tone(seconds, rate, channels=1):
    time = np.arange(round(seconds * rate)) / rate
    return np.repeat(0.3 * np.sin(2 * np.pi * 440 * time)[:, None], channels, axis=1)


@pytest.mark.parametrize("suffix", ["wav", "flac", "ogg", "mp3", "aiff"])
@pytest.mark.parametrize(("rate", "channels"), [(16_000, 1), (44_100, 2), (8_000, 1)])
def test_a_sound_of_any_kind_is_heard_at_16_khz(tmp_path, suffix, rate, channels):
    path = tmp_path / f"tone.{suffix}"
    soundfile.write(path, tone(1.0, rate, channels), rate)
    heard = wave(asked.sound(path))
    assert abs(len(heard) - 16_000) < 2_000  # mp3 and ogg pad
    spectrum = torch.fft.rfft(heard).abs()
    assert abs(spectrum.argmax() * 16_000 / len(heard) - 440) < 5


def test_a_packed_caption_keeps_its_samples(tmp_path):
    path = tmp_path / "caption.flac"
    path.write_bytes(made.flac(1, 3))
    assert torch.equal(wave(asked.sound(path)), wave(made.flac(1, 3)))


def flac_claiming(samples, channels=1):
    """A short FLAC whose header says that it has so many samples (36 bits of STREAMINFO)."""
    buffer = io.BytesIO()
    soundfile.write(buffer, tone(0.5, 16_000, channels), 16_000, format="FLAC")
    content = bytearray(buffer.getvalue())
    (word,) = struct.unpack(">Q", content[18:26])
    content[18:26] = struct.pack(">Q", word >> 36 << 36 | samples)
    return bytes(content)


def wav(samples, rate=16_000):
    buffer = io.BytesIO()
    soundfile.write(buffer, samples, rate, format="WAV", subtype="PCM_16")
    return buffer.getvalue()


SOUNDS = {
    "text": (b"no sound at all", "must be a sound file"),
    "empty": (b"", "must be a sound file"),
    "silent": (wav(np.zeros(16_000)), "is silent or damaged"),
    "short": (wav(tone(0.05, 16_000)), "must last at least 0.1 s, but"),
    "long": (wav(np.ones(301 * 8_000) / 2, 8_000), "at most 300 s long, but is 301 s"),
    "hours": (flac_claiming(60_000_000), "at most 300 s long, but is 3750 s"),
    "years": (flac_claiming(2**36 - 1), "must have at most 67108864 samples"),
    "channels": (flac_claiming(290 * 16_000 * 4, channels=8), "at most 67108864 samples"),
    "cut": (wav(tone(1, 16_000))[:30], "must be a sound file"),
}


@pytest.mark.parametrize("kind", SOUNDS)
def test_what_cannot_be_heard_is_said_in_one_line(tmp_path, kind):
    content, said = SOUNDS[kind]
    path = tmp_path / f"{kind}.wav"
    path.write_bytes(content)
    with pytest.raises(DataError) as raised:
        asked.sound(path)
    assert said in str(raised.value)
    assert str(path) in str(raised.value)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("ask", [asked.sound, asked.picture])
def test_a_query_must_be_a_file(tmp_path, ask):
    for path in (tmp_path / "nowhere", tmp_path, type(tmp_path)("/dev/zero")):
        with pytest.raises(UsageError, match=f"must be a file, but {path} is none"):
            ask(path)


def test_a_packed_photograph_keeps_its_bytes(tmp_path):
    path = tmp_path / "photo.jpg"
    path.write_bytes(made.jpeg(1, 3))
    assert asked.picture(path) == made.jpeg(1, 3)


def png(mode, size):
    buffer = io.BytesIO()
    Image.new(mode, size).save(buffer, "PNG")
    return buffer.getvalue()


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "P", "1"])
def test_a_picture_of_any_kind_is_seen(tmp_path, mode):
    path = tmp_path / "photo.png"
    path.write_bytes(png(mode, (700, 400)))
    with Image.open(io.BytesIO(asked.picture(path))) as seen:
        assert (seen.format, seen.mode, seen.size) == ("JPEG", "RGB", (532, 304))


PICTURES = {
    "text": (b"no picture", "must decode wholly"),
    "cut": (png("RGB", (300, 300))[:100], "must decode wholly"),
    "small": (png("RGB", (4, 300)), "at least 8 pixels wide and high"),
    "bomb": (png("1", (30_000, 30_000)), "must be of sane size"),
    "deep": (png("I;16", (64, 64)), "8 bits a channel"),
}


@pytest.mark.parametrize("kind", PICTURES)
def test_what_cannot_be_seen_is_said_in_one_line(tmp_path, kind):
    content, said = PICTURES[kind]
    path = tmp_path / f"{kind}.png"
    path.write_bytes(content)
    with pytest.raises(DataError) as raised:
        asked.picture(path)
    assert str(path) in str(raised.value)
    assert said in str(raised.value)
    assert "\n" not in str(raised.value)
