"""Tacotron 2's own: seeded by text and voice, no trace left, weights that cannot be had."""

import socket
import subprocess
import sys

import numpy as np
import pytest
import torch

from data_shards import speech
from data_shards.errors import DataError, UsageError
from data_shards.speech.tacotron2 import Engine, Models
from tests.data_shards.speech.conftest import small_tacotron2

WEIGHTS = "hub/checkpoints/tacotron2_english_characters_1500_epochs_ljspeech.pth"


def test_neither_the_seed_nor_the_threads_of_the_process_matter():
    engine, said = Engine(small_tacotron2()), []
    threads = torch.get_num_threads()
    for number in (1, 2):
        torch.manual_seed(number)
        torch.set_num_threads(number)
        before = torch.random.get_rng_state()
        said.append(engine.say("pink petals", voice="ljspeech"))
        assert torch.equal(torch.random.get_rng_state(), before)
        assert torch.get_num_threads() == number
    torch.set_num_threads(threads)
    np.testing.assert_array_equal(*said)


def test_its_draws_are_used():
    """Another name for the voice is another key: drop-out and phases differ, hence the sound."""
    engine = Engine(small_tacotron2())
    assert engine.say("pink", voice="a").tobytes() != engine.say("pink", voice="b").tobytes()


def test_as_loud_as_can_be_and_as_long_as_it_says():
    samples = Engine(small_tacotron2()).say("pink petals", voice="ljspeech")
    assert 29_000 < np.abs(samples.astype(int)).max() <= 32_768
    assert abs(len(samples) / speech.RATE - 119 * 256 / 22_050) < 0.01


def test_wavernn_can_take_the_vocoders_place():
    from torchaudio.models import WaveRNN
    from torchaudio.pipelines._tts.impl import _WaveRNNVocoder

    torch.manual_seed(0)
    wavernn = WaveRNN(
        upsample_scales=[2, 2, 2], n_classes=256, hop_length=8, n_res_block=1, n_rnn=8, n_fc=8,
        n_freq=80, n_hidden=8, n_output=8,
    ).eval()  # fmt: skip
    small = small_tacotron2()
    engine = Engine(Models(small.processor, small.tacotron2, _WaveRNNVocoder(wavernn)))
    first = engine.say("pink", voice="ljspeech")
    assert first.any()
    np.testing.assert_array_equal(first, engine.say("pink", voice="ljspeech"))


def test_a_text_without_letters_is_nothing():
    assert not len(Engine(small_tacotron2()).say("花 123", voice="ljspeech"))


def test_a_failure_names_the_text():
    small = small_tacotron2()

    def fail(*_):
        raise RuntimeError("out of memory")

    with pytest.raises(DataError, match="could not speak 'pink': out of memory"):
        Engine(Models(small.processor, small.tacotron2, fail)).say("pink", voice="ljspeech")


def test_weights_that_cannot_be_downloaded(monkeypatch, tmp_path):
    def no_network(*_, **__):
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", no_network)
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    with pytest.raises(UsageError, match="needs its weights, but .*Name or service") as said:
        speech.engine("tacotron2")
    assert "\n" not in str(said.value)


@pytest.mark.parametrize("content", [b"no weights", b"cos\nsystem\n(S'true'\ntR."])
def test_weights_that_are_none(monkeypatch, tmp_path, content):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    (tmp_path / WEIGHTS).parent.mkdir(parents=True)
    (tmp_path / WEIGHTS).write_bytes(content)
    with pytest.raises(UsageError, match="neither downloaded nor read") as said:
        speech.engine("tacotron2")
    assert "\n" not in str(said.value)


def test_torch_is_loaded_only_to_speak():
    script = (
        "import sys; import data_shards.speech.tacotron2, orchestrator.cli; print(*sys.modules)"
    )
    loaded = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=120
    ).stdout.split()
    assert not {"torch", "torchaudio", "scipy"} & set(loaded)
