"""Frozen networks: their frames, their weights, and trials that read them."""

import io

import numpy as np
import pytest
import soundfile
import torch
import torchaudio

from data_shards.errors import DataError
from data_shards.feature_store import Store
from data_shards.features import derive_speech
from data_shards.front_end import frames_of
from data_shards.raw import raw_samples
from tests import made
from tests.trainables.speech_encoders.tiny_network import SMALL, small_network
from trainables import inputs, weights
from trainables.experiment import Experiment
from trainables.model import DualEncoder
from trainables.speech_encoders import front_end
from trainables.speech_encoders.torchaudio_front import TorchaudioFront
from trainables.training import train

CPU = torch.device("cpu")
TINY = Experiment(
    speech_encoder="hubert", image_encoder="small", image_size=64, views="one", embedding=16,
    speech_attention_hidden=8, batch_size=16, epochs=2, learning_rate=1e-2,
)  # fmt: skip


@pytest.fixture
def front():
    return TorchaudioFront("small", small_network(), 2)


@pytest.fixture(scope="module")
def packed(tmp_path_factory):
    return made.make(tmp_path_factory.mktemp("data") / "tones", per_class=2)


def wave(samples):
    return 0.1 * torch.randn(samples, generator=torch.Generator().manual_seed(samples))


@pytest.mark.parametrize(
    ("samples", "frames"), [(1, 1), (399, 1), (400, 1), (719, 1), (720, 2), (16_000, 49)]
)
def test_a_frame_every_20_ms_and_at_least_one(front, samples, frames):
    found = front(wave(samples))
    assert found.shape == (frames, front.width) == (frames, 768)
    assert found.isfinite().all()
    assert torch.equal(front(wave(samples)), found)  # nothing is dropped at random


def test_loader_processes_run_it_where_there_is_no_gpu(front):
    assert front.in_workers
    assert not TorchaudioFront("small", small_network().to("meta"), 2).in_workers


def test_the_layer_asked_for_is_taken(front):
    layers, _ = front.network.extract_features(wave(4000)[None])
    for number in (1, 2):
        found = TorchaudioFront("small", front.network, number)(wave(4000))
        torch.testing.assert_close(found, layers[number - 1][0])


def test_a_clip_shorter_than_the_first_window_is_followed_by_silence(front):
    padded = torch.cat([wave(100), torch.zeros(300)])
    assert torch.equal(front(wave(100)), front(padded))


def test_the_key_tells_network_weights_and_layer():
    fronts = [
        TorchaudioFront("small", small_network(), 2),
        TorchaudioFront("other", small_network(), 2),
        TorchaudioFront("small", small_network(1), 2),
        TorchaudioFront("small", small_network(), 1),
    ]
    assert len({one.key for one in fronts}) == 4
    assert TorchaudioFront("small", small_network(), 2).key == fronts[0].key


def test_the_number_of_threads_changes_no_bit(front):
    results, before = [], torch.get_num_threads()
    for threads in (1, 2):
        torch.set_num_threads(threads)
        results.append(frames_of(wave(16_000), front))
        assert torch.get_num_threads() == threads
    torch.set_num_threads(before)
    assert torch.equal(*results)


def test_cached_frames_of_a_caption_are_those_of_it_alone(front, packed, tmp_path):
    column = derive_speech(packed, "val", front=front, store=Store(tmp_path), max_broken=0.0)
    flacs = [
        flac
        for shard in packed.manifest.splits["val"].shards
        for raw in raw_samples(packed, shard)
        for flac in raw.flacs
    ]
    assert len(column.starts) == len(flacs) + 1
    for flac, start, end in zip(flacs, column.starts, column.starts[1:], strict=False):
        alone, _ = soundfile.read(io.BytesIO(flac), dtype="float32")
        expected = front(torch.from_numpy(alone)).half().numpy()
        np.testing.assert_array_equal(column.frames_TF[start:end], expected)


@pytest.fixture
def laid(tmp_path, monkeypatch):
    """A small HuBERT whose file lies where the published one is looked for."""
    bundle, network = torchaudio.pipelines.HUBERT_BASE, small_network()
    monkeypatch.setattr(bundle, "_params", SMALL)
    monkeypatch.setenv(weights.VARIABLE, str(tmp_path / "weights"))
    (tmp_path / "weights").mkdir()
    torch.save(_published(network), tmp_path / "weights" / "hubert_fairseq_base_ls960.pth")
    return TorchaudioFront("HUBERT_BASE", network, 12)


def _published(network):
    """Its state by the names of published files, older than PyTorch's parametrizations."""
    norm = "parametrizations.weight.original"
    return {
        name.replace(f"{norm}0", "weight_g").replace(f"{norm}1", "weight_v"): value
        for name, value in network.state_dict().items()
    }


def test_published_weights_are_loaded(laid):
    found = front_end(TINY, device=CPU)
    assert found.key == laid.key
    assert not any(p.requires_grad or p.is_meta for p in found.network.parameters())
    expected = small_network().eval()
    for one, other in zip(
        found.network.extract_features(wave(4000)[None])[0],
        expected.extract_features(wave(4000)[None])[0],
        strict=True,
    ):
        torch.testing.assert_close(one, other)


def test_missing_weights_are_one_line_with_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setenv(weights.VARIABLE, str(tmp_path))
    with pytest.raises(DataError, match="WAV2VEC2_BASE must be at .*wav2vec2_fairseq_base_ls960"):
        front_end(TINY.replace(speech_encoder="wav2vec2"), device=CPU)


def test_the_weights_of_a_bundle_lie_where_torchaudio_keeps_them(monkeypatch):
    urls = []

    def load(url, what):
        urls.append(url)
        raise DataError(what)

    def torchaudios(url, **_):
        urls.append(url)
        raise DataError(url)

    monkeypatch.setattr(weights, "load", load)
    monkeypatch.setattr(
        "torchaudio.pipelines._wav2vec2.utils.load_state_dict_from_url", torchaudios
    )
    monkeypatch.setattr(torchaudio.pipelines.HUBERT_BASE, "_params", SMALL)
    with pytest.raises(DataError):
        front_end(TINY, device=CPU)
    with pytest.raises(DataError):
        torchaudio.pipelines.HUBERT_BASE.get_model()
    assert urls[0] == urls[1]


@pytest.mark.parametrize("workers", [0, 2])
def test_a_trial_finds_the_same_from_cached_and_from_live_frames(
    packed, tmp_path, front, monkeypatch, workers
):
    monkeypatch.setattr(inputs, "front_end", lambda experiment, *, device: front)
    losses, metrics = [], []
    for features in ("cached", "live"):
        run = train(
            TINY.replace(features=features), data=packed, cache=tmp_path / features,
            checkpoints=str(tmp_path / f"{features}-checkpoints"), workers=workers,
        )  # fmt: skip
        reports = list(run)
        losses.append([report.loss for report in reports])
        metrics.append([report.metrics for report in reports])
    assert losses[0] == losses[1]
    assert metrics[0] == metrics[1]
    assert losses[0][0] != losses[0][1]


def test_a_trial_without_attention_reads_the_networks_frames(packed, tmp_path, front, monkeypatch):
    monkeypatch.setattr(inputs, "front_end", lambda experiment, *, device: front)
    experiment = TINY.replace(speech_attention=False)
    model = DualEncoder(experiment).eval()
    read = inputs.Inputs(experiment, model, packed, Store(tmp_path)).features("val")
    frames_TF = read.frames(0).float()
    found = model.embed_speech(frames_TF[None], torch.tensor([len(frames_TF)]))[0]
    expected = model.speech.out(frames_TF.mean(dim=0))
    torch.testing.assert_close(found, expected / expected.norm())
