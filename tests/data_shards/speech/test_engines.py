"""What every installed engine must do, and what espeak's worker adds."""

import importlib
import os
import signal

import numpy as np
import pytest

from data_shards import speech
from data_shards.errors import DataError, UsageError
from tests.data_shards.speech.conftest import start


@pytest.fixture
def espeak():
    started = speech.engine("espeak")
    yield started
    started.close()


def test_names_and_unknown_engine():
    assert speech.names() == ["espeak", "flite", "piper", "tacotron2"]
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


def voices_of(engine):
    """Four voices, or the one of an engine that has no more."""
    return engine.voices(1) if engine.name in ("piper", "tacotron2") else engine.voices(4)


def test_same_caption_and_voice_same_samples_whatever_came_between(engine):
    voices, caption = voices_of(engine), "white petals"
    first = {voice: engine.say(caption, voice=voice) for voice in voices}
    assert len({samples.tobytes() for samples in first.values()}) == len(voices)
    other = start(engine.name)
    for number, voice in enumerate(reversed(voices), 1):
        other.say("something else " * number, voice=voice)
        for each in (engine, other):
            np.testing.assert_array_equal(each.say(caption, voice=voice), first[voice])
    other.close()


def test_another_caption_is_another_sound(engine):
    voice = engine.voices(1)[0]
    said = [engine.say(caption, voice=voice) for caption in ("white petals", "yellow stamens")]
    assert said[0].tobytes() != said[1].tobytes()


def test_nothing_to_say_is_silence(engine):
    assert not engine.say("", voice=engine.voices(1)[0]).any()


def test_number_of_voices(engine):
    voices = voices_of(engine)
    assert voices[:1] == engine.voices(1)
    assert len(set(voices)) == len(voices)
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
