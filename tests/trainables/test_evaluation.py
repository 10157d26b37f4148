"""What stands at each place of the galleries, also where a sample is unreadable."""

import torch

from data_shards.feature_store import Store
from tests import made
from trainables.evaluation import evaluate
from trainables.experiment import Experiment
from trainables.inputs import Inputs
from trainables.model import DualEncoder, initialise

TINY = Experiment(
    image_encoder="small", image_size=64, views="one", embedding=16, speech_attention_hidden=8,
    batch_size=16, max_broken=0.1,
)  # fmt: skip


def test_places_of_images_and_captions(tmp_path):
    """24 test images, four classes in turn, image i // 4 of its class with 1 + (i // 4) % 3
    captions; the second image is unreadable."""
    data = made.make(tmp_path / "tones")
    data = made.replace_member(data, "test-00000.tar", "test_15_00.jpg", b"no jpeg")
    model = DualEncoder(TINY)
    initialise(model, 0)
    inputs = Inputs(TINY, model, data, Store(tmp_path / "cache"))
    queries = evaluate(model, inputs.features("test"), device=torch.device("cpu")).queries
    rows = [row for row in range(24) if row != 1]
    assert queries["image_row"].tolist() == rows
    assert queries["image_class"].tolist() == [14 + row % 4 for row in rows]
    captions = [(place, n) for place, row in enumerate(rows) for n in range(1 + row // 4 % 3)]
    pairs = zip(queries["caption_image"].tolist(), queries["caption_number"].tolist(), strict=True)
    assert list(pairs) == captions
    assert queries["s2i_top"].shape == (len(captions), 5)
    assert queries["i2s_top"].shape == (23, 5)
