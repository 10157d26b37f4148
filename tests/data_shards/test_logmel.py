"""Log-mel frames against a slow version written from the definitions."""

import numpy as np
import pytest
import torch

from data_shards.logmel import LogMel


def _hertz_to_mel(hertz):
    return 2595 * np.log10(1 + hertz / 700)


def _mel_to_hertz(mel):
    return 700 * (10 ** (mel / 2595) - 1)


def _filters(mels):
    """Triangles (257, mels) whose corners are evenly spaced in mel between 0 and 8 kHz."""
    corners = _mel_to_hertz(np.linspace(0, _hertz_to_mel(8000), mels + 2))
    bins = np.arange(257) * 16_000 / 512
    rising = (bins[:, None] - corners[:-2]) / (corners[1:-1] - corners[:-2])
    falling = (corners[2:] - bins[:, None]) / (corners[2:] - corners[1:-1])
    return np.maximum(0, np.minimum(rising, falling))


def _slow(wave, mels):
    padded = np.pad(wave.astype(np.float64), 256)
    window = np.zeros(512)
    window[56:456] = 0.54 - 0.46 * np.cos(2 * np.pi * np.arange(400) / 400)
    frames = []
    for start in range(0, len(wave) + 1, 160):
        power = np.abs(np.fft.rfft(padded[start : start + 512] * window)) ** 2
        frames.append(np.log(power @ _filters(mels) + 1e-6))
    frames = np.array(frames)
    return (frames - frames.mean(0)) / (frames.std(0) + 1e-5)


@pytest.mark.parametrize("mels", [40, 24])
@pytest.mark.parametrize("samples", [4000, 4159, 4160])
def test_equals_the_slow_version(mels, samples):
    wave = 0.1 * np.random.default_rng(0).normal(size=samples).astype(np.float32)
    frames_TF = LogMel(mels=mels)(torch.from_numpy(wave))
    assert frames_TF.shape == (samples // 160 + 1, mels)
    np.testing.assert_allclose(frames_TF.numpy(), _slow(wave, mels), atol=2e-3)


def test_each_band_has_zero_mean_and_unit_variance_and_loudness_drops_out():
    wave = torch.randn(8000, generator=torch.Generator().manual_seed(0))
    frames_TF = LogMel()(wave)
    assert frames_TF.mean(dim=0).abs().max() < 1e-4
    assert (frames_TF.var(dim=0, correction=0) - 1).abs().max() < 1e-3
    torch.testing.assert_close(LogMel()(0.5 * wave), frames_TF, atol=1e-2, rtol=0)


@pytest.mark.parametrize("samples", [1, 160, 4000])
def test_silence_and_the_shortest_wave_stay_finite(samples):
    frames_TF = LogMel()(torch.zeros(samples))
    assert frames_TF.shape == (samples // 160 + 1, 40)
    assert frames_TF.abs().max() < 1  # rounding of the mean over next to no deviation


def test_window_and_bands_change_frames_and_key():
    kinds = [LogMel(), LogMel(window="hann"), LogMel(mels=24)]
    assert len({kind.key for kind in kinds}) == 3
    wave = torch.randn(8000, generator=torch.Generator().manual_seed(0))
    assert not torch.allclose(kinds[0](wave), kinds[1](wave), atol=1e-2)
