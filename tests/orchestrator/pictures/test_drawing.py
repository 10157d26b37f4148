"""All pictures of a really trained trial: there, not blank, and what is left out is said."""

import io
import shutil

import numpy as np
import pytest
from PIL import Image

from data_shards.errors import DataError, UsageError
from orchestrator.pictures import drawing, gradcam, learning
from orchestrator.pictures.subject import find_record, subject
from orchestrator.storage import Storage
from tests.orchestrator.pictures import tiny

NAMES = {"gradcam", "speech_attention", "gallery_s2i", "gallery_i2s", "learning"}


def is_drawn(png: bytes) -> bool:
    """A picture of some size in which much is not background."""
    pixels = np.asarray(Image.open(io.BytesIO(png)).convert("L"), dtype=float)
    return min(pixels.shape) > 300 and pixels.std() > 10


@pytest.fixture(scope="module")
def other(storage, tones):
    return tiny.explained(storage, tones, image_attention="none", speech_attention=False)


@pytest.fixture(scope="module")
def drawn(trial):
    written, lacking = drawing.draw(trial, trial.storage.pictures_url(trial.id))
    assert lacking == []
    return written


def test_there_are_five_pictures_and_none_is_blank(drawn, trial):
    pictures = trial.storage.pictures(trial.id)
    assert set(pictures) == {f"{name}.png" for name in NAMES}
    assert all(is_drawn(png) for png in pictures.values())
    assert drawing.read(drawn) == pictures
    assert trial.storage.picture_ids() == {trial.id}


def test_without_attention_over_time_there_is_no_such_picture(other, tmp_path):
    written, (line,) = drawing.draw(other, str(tmp_path))
    assert {path.stem for path in tmp_path.iterdir()} == NAMES - {"speech_attention"}
    assert len(written) == 4
    assert line == (
        f"no speech_attention.png of {other.id}: its speech encoder, pyramid_bigru, has no "
        "attention over time."
    )


def test_trials_side_by_side_are_named_by_what_differs(trial, other, tmp_path):
    assert gradcam.labels([trial, other]) == [
        "image_attention=B3\nspeech_attention=on",
        "image_attention=none\nspeech_attention=off",
    ]
    url = drawing.compare([trial, other], str(tmp_path))
    assert url == f"{tmp_path}/gradcam-{trial.id}-{other.id}.png"
    assert is_drawn((tmp_path / url).read_bytes())
    columns = gradcam.draw([trial, other], target="pair").axes
    assert len(columns) == 4 * 4  # photograph, two trials, caption


def test_every_photograph_is_of_another_class(trial):
    assert len({shown.raw.class_id for shown in trial.shown}) == 4
    assert all(shown.text == f"tone {shown.raw.class_id}" for shown in trial.shown)


def test_the_curves_say_what_was_held_out(trial, storage, tones):
    _, recall = learning.draw(trial).axes
    assert recall.get_title().startswith("validation classes")
    last = tiny.explained(storage, tones, selection="last")
    _, recall = learning.draw(last).axes
    assert recall.get_title().startswith("no classes were held out")


@pytest.fixture
def copy(trial, tmp_path):
    """A storage of its own that a test may damage."""
    shutil.copytree(trial.storage.url, tmp_path / "runs", ignore=shutil.ignore_patterns("cache"))
    return Storage(str(tmp_path / "runs"))


def test_an_old_record_has_no_galleries_but_the_rest(copy, trial, tones, tmp_path):
    queries = {k: v for k, v in trial.queries.items() if not k.endswith("_top")}
    copy.write_record(trial.record, queries)
    old = subject(copy, find_record(copy, trial.id), tones)
    written, lacking = drawing.draw(old, str(tmp_path / "out"))
    assert [line.split(" of ")[0] for line in lacking] == [
        "no gallery_s2i.png",
        "no gallery_i2s.png",
    ]
    assert len(written) == 3


def test_deleted_and_damaged_weights_are_said(copy, trial, tones):
    weights = f"{copy.models_url(trial.id)}/best.pt"
    with open(weights, "wb") as stream:  # noqa: PTH123
        stream.write(b"half a file")
    with pytest.raises(DataError, match="best.pt cannot be read"):
        subject(copy, trial.record, tones)
    shutil.rmtree(copy.models_url(trial.id))
    with pytest.raises(UsageError, match=rf"delete .*{trial.id}.json and run its sweep again"):
        subject(copy, trial.record, tones)


def test_a_record_of_other_components_is_refused(copy, trial, tones):
    record = trial.record | {"experiment": trial.record["experiment"] | {"seed": 5}}
    with pytest.raises(UsageError, match="this version's components"):
        subject(copy, record, tones)
