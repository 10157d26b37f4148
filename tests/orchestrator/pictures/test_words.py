import numpy as np
import pytest

from orchestrator.pictures import words


def test_speech_is_what_stands_between_silences():
    wave = np.zeros(16_000)
    wave[4_000:12_000] = np.sin(np.arange(8_000))
    assert words.spoken(wave, 16_000) == pytest.approx((0.25, 0.75))


def test_faint_noise_is_silence_and_a_wave_without_sound_is_taken_whole():
    wave = 0.001 * np.ones(8_080)
    wave[1_600:3_200] = 1
    assert words.spoken(wave, 16_000) == pytest.approx((0.1, 0.2))
    assert words.spoken(np.zeros(8_080), 16_000) == (0.0, 0.505)


def test_words_take_as_long_as_they_have_letters():
    found = words.positions("a red rose", 1.0, 3.0)
    assert [word for word, *_ in found] == ["a", "red", "rose"]
    assert [time for _, *both in found for time in both] == pytest.approx(
        [1.0, 1.25, 1.25, 2.0, 2.0, 3.0]
    )
    assert words.positions("", 0.0, 1.0) == []
