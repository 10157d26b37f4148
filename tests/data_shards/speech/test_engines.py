"""What every installed engine must do, and what espeak's worker adds."""

import importlib
import os
import shutil
import signal

import numpy as np
import pytest

from data_shards import speech
from data_shards.errors import DataError, UsageError

INSTALLED = [name for name in speech.names() if name != "flite" or shutil.which("flite")]


@pytest.fixture(params=INSTALLED)
def engine(request):
    started = speech.engine(request.param)
    yield started
    started.close()


@pytest.fixture
def espeak():
    started = speech.engine("espeak")
    yield started
    started.close()


def test_names_and_unknown_engine():
    assert speech.names() == ["espeak", "flite"]
    with pytest.raises(UsageError, match=r"Did you mean 'espeak'"):
        speech.engine("espeek")


def test_speaks_at_16_khz(engine):
    samples = engine.say("this flower has pink petals", voice=engine.voices(1)[0])
    assert samples.dtype == np.int16
    assert samples.ndim == 1
    assert 1.0 < len(samples) / speech.RATE < 4.0
    assert samples.std() > 300
    assert engine.name in speech.names()
    assert engine.version[0].isdigit()


def test_same_caption_and_voice_same_samples_whatever_came_between(engine):
    voices, caption = engine.voices(4), "white petals"
    first = {voice: engine.say(caption, voice=voice) for voice in voices}
    assert len({samples.tobytes() for samples in first.values()}) == 4
    other = speech.engine(engine.name)
    for number, voice in enumerate(reversed(voices)):
        other.say("something else " * number, voice=voices[number])
        for each in (engine, other):
            np.testing.assert_array_equal(each.say(caption, voice=voice), first[voice])
    other.close()


def test_nothing_to_say_is_silence(engine):
    assert not engine.say("", voice=engine.voices(1)[0]).any()


def test_number_of_voices(engine):
    assert engine.voices(4)[:2] == engine.voices(2)
    for count in (0, 1000):
        with pytest.raises(UsageError, match=f"voices must be from 1 to .* got {count}"):
            engine.voices(count)


def test_all_espeak_voices_exist_and_differ(espeak):
    said = [espeak.say("pink petals", voice=voice).tobytes() for voice in espeak.voices(12)]
    assert len(set(said)) == 12


def test_unknown_espeak_voice(espeak):
    with pytest.raises(DataError, match="no voice 'xx'"):
        espeak.say("hello", voice="xx")
    assert espeak.say("hello", voice="en-us").any()  # the worker lives on


def test_pitch_of_a_resampled_tone():
    from data_shards.speech.base import resample

    time = np.arange(22050) / 22050
    tone = (10_000 * np.sin(2 * np.pi * 440 * time)).astype(np.int16)
    resampled = resample(tone, rate=22050)
    assert len(resampled) == 16_000
    assert np.abs(np.fft.rfft(resampled)).argmax() == 440


def test_death_of_the_worker_is_one_clear_line(espeak):
    os.kill(espeak._worker.pid, signal.SIGKILL)
    with pytest.raises(DataError, match="espeak process must live"):
        espeak.say("hello", voice="en-us")
    with pytest.raises(DataError, match="espeak process must live"):
        espeak.say("hello", voice="en-us")


def test_flite_missing_says_how_to_install(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UsageError, match="apt-get install flite"):
        speech.engine("flite")


def test_espeak_missing_says_how_to_install(monkeypatch):
    real = importlib.util.find_spec("espeakng_loader")
    assert real is not None
    import sys

    monkeypatch.setattr(sys, "path", [])
    monkeypatch.delitem(sys.modules, "espeakng_loader", raising=False)
    importlib.invalidate_caches()
    monkeypatch.setattr(sys, "meta_path", [])
    with pytest.raises(UsageError, match="pip install espeakng-loader"):
        speech.engine("espeak")
