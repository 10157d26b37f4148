"""Ticks and crosses, which queries are good or bad, and what stands where."""

import numpy as np
import pytest

from orchestrator.pictures import galleries
from orchestrator.pictures.galleries import Gallery, gallery
from orchestrator.pictures.subject import NotDrawn

# Images 0 and 1 of class 7, image 2 of class 9; captions 0, 1 of image 0, 2 of image 1, 3 of 2.
QUERIES = {
    "image_class": np.array([7, 7, 9]),
    "caption_image": np.array([0, 0, 1, 2]),
    "caption_number": np.array([0, 1, 0, 0]),
    "s2i_top": np.array([[0, 2], [2, 1], [1, 0], [0, 2]]),
    "i2s_top": np.array([[0, 3], [3, 2], [3, 1]]),
}


def test_a_tick_where_image_and_caption_are_of_one_class():
    assert gallery(QUERIES, "s2i").right_QS.tolist() == [
        [True, False], [False, True], [True, True], [False, True],
    ]  # fmt: skip
    assert gallery(QUERIES, "i2s").right_QS.tolist() == [
        [True, False], [False, True], [True, False],
    ]  # fmt: skip


def test_good_has_four_right_and_bad_three_wrong():
    right = np.arange(5) < np.array([[5], [4], [3], [2], [1], [0], [4]])
    kinds = Gallery(np.zeros_like(right, dtype=int), right).kinds("s2i")
    shown, count = kinds["good"]
    assert count == 3
    assert len(set(shown)) == 2
    assert set(shown) <= {0, 1, 6}
    shown, count = kinds["bad"]
    assert count == 3
    assert set(shown) <= {3, 4, 5}


def test_where_fewer_qualify_those_are_shown():
    right = np.arange(5) < np.array([[5], [3]])
    kinds = Gallery(np.zeros_like(right, dtype=int), right).kinds("s2i")
    assert kinds == {"good": ([0], 1), "bad": ([], 0)}


@pytest.mark.parametrize("name", ["s2i_top", "caption_number"])
def test_an_old_record_has_no_gallery(name):
    old = {key: value for key, value in QUERIES.items() if key != name}
    with pytest.raises(NotDrawn, match="older than the lists"):
        gallery(old, "s2i")


def _texts(figure):
    axes = figure.axes
    return [t.get_text() for a in axes for t in [*a.texts, a.title] if t.get_text()]


@pytest.mark.parametrize("direction", ["s2i", "i2s"])
def test_ticks_in_the_picture_agree_with_the_classes_named_beside_them(trial, direction):
    """In the tones the caption says the class: query, result and mark can be read off."""
    draw = {"s2i": galleries.speech_to_image, "i2s": galleries.image_to_speech}[direction]
    figure = draw(trial)
    texts = _texts(figure)
    asked, marked = None, 0
    for text in texts:
        flat = " ".join(text.split())
        if flat.startswith(("good: ", "bad: ")):
            asked = flat.rsplit("class ", 1)[1].strip(")")
        else:
            assert flat.startswith("✓" if flat.rsplit("class ", 1)[1].strip(")") == asked else "✗")
            marked += 1
    queries = sum(text.startswith(("good", "bad")) for text in texts)
    assert queries >= 2
    assert marked == 5 * queries
    assert "queries" in figure.get_supxlabel()


def test_captions_of_the_tones_stand_with_their_own_class(trial):
    """Caption m of the gallery is the caption of the image that the arrays name."""
    sheet = galleries._Sheet(trial, "i2s")
    asked = [query for shown, _ in sheet._kinds.values() for query in shown]
    assert asked
    for place in sheet._found.top_QS[asked].ravel().tolist():
        image = int(trial.queries["caption_image"][place])
        assert sheet._text(place) == f"tone {trial.queries['image_class'][image]}"


def test_with_one_right_result_good_is_first_and_bad_is_none():
    right = np.zeros((3, 5), dtype=bool)
    right[0, 0] = right[1, 3] = True
    found = Gallery(np.zeros_like(right, dtype=int), right, alone=True)
    assert found.kinds("s2i") == {"good": ([0], 1), "bad": ([2], 1)}
    assert "first" in found.rule["good"]
